import { Button, NumberInput, SegmentedControl, Select, Slider } from "@mantine/core";

import type { Mode, Projection } from "../../api/workstation";
import { modalityOf } from "../../ui";
import { useFactsOf, useKnownSeries } from "../model/hooks";
import { useWorkspace } from "../model/store";
import styles from "./bars.module.css";
import { SessionState } from "../sessions/SessionState";
import { SaveState } from "./SaveState";
import { WindowControl } from "./WindowControl";

/** How the two are mixed and windowed, how thick the plane is, and whether all is kept. */
export function BottomBar() {
  // Single images have their controls below each of them.
  const isOfPlanes = useWorkspace((state) => state.doc.layout !== "images");
  const overlay = useWorkspace((state) => isOfPlanes && state.doc.layout !== "base" && state.doc.overlay !== null);
  return (
    <footer className={styles.bottom}>
      {overlay && <Blend />}
      {overlay && <Modes />}
      {isOfPlanes && <WindowControl slot="base" />}
      {overlay && <WindowControl slot="overlay" />}
      {isOfPlanes && <Slab />}
      {isOfPlanes && <Straighten />}
      <span className={styles.grow} />
      <SaveState />
      <SessionState />
    </footer>
  );
}

function Blend() {
  const blend = useWorkspace((state) => state.doc.blend);
  const setBlend = useWorkspace((state) => state.setBlend);
  const base = useKnownSeries(useWorkspace((state) => state.doc.base?.series));
  const overlay = useKnownSeries(useWorkspace((state) => state.doc.overlay?.series));
  return (
    <div className={styles.blend} title="How much of the overlay is seen (space hides it)">
      <b style={{ color: modalityOf(base.Modality).color }}>{base.Modality}</b>
      <Slider
        w={110} size="sm" label={null} min={0} max={1} step={0.01} value={blend} onChange={setBlend}
        thumbLabel="Blend" aria-valuetext={`${String(Math.round(100 * blend))} % overlay`}
      />
      <b style={{ color: modalityOf(overlay.Modality).color }}>{overlay.Modality}</b>
    </div>
  );
}

const MODES: readonly { value: Mode; label: string }[] = [
  { value: "blend", label: "Blend" },
  { value: "checkerboard", label: "Checkerboard" },
  { value: "spyglass", label: "Spyglass" },
  { value: "difference", label: "Difference" },
  { value: "base", label: "Base alone" },
  { value: "overlay", label: "Overlay alone" },
];

function Modes() {
  const mode = useWorkspace((state) => state.doc.mode);
  const setMode = useWorkspace((state) => state.setMode);
  return (
    <Select
      size="xs" w={122} flex="none" aria-label="How the two are shown together" data={MODES} value={mode} comboboxProps={{ position: "top" }}
      onChange={(next) => { if (next) setMode(next as Mode); }}
    />
  );
}

const PROJECTIONS: readonly { value: Projection; label: string }[] = [
  { value: "mip", label: "MIP" },
  { value: "minip", label: "MinIP" },
  { value: "mean", label: "Mean" },
];

/** Only where there is something to make straight. */
function Straighten() {
  const isTurned = useWorkspace((state) => state.doc.plane_turn !== null);
  const setPlaneTurn = useWorkspace((state) => state.setPlaneTurn);
  if (!isTurned) return null;
  return (
    <Button size="compact-sm" variant="light" title="All planes straight again (U)" onClick={() => { setPlaneTurn(null); }}>
      Straighten
    </Button>
  );
}

/** 0 mm is one thin plane. */
function Slab() {
  const slab_mm = useWorkspace((state) => state.doc.slab_mm);
  const projection = useWorkspace((state) => state.doc.projection);
  const setSlab = useWorkspace((state) => state.setSlab);
  const hasBase = useFactsOf("base") !== undefined;
  const how = projection === "thin" ? "mip" : projection;
  if (!hasBase) return null;
  return (
    <div className={styles.group}>
      <NumberInput
        size="xs" w={104} hideControls aria-label="Thickness of the slab" prefix="Slab " suffix=" mm" min={0} max={500} step={5} value={slab_mm}
        onChange={(value) => { if (typeof value === "number") setSlab(value, value > 0 ? how : "thin"); }}
      />
      {slab_mm > 0 && (
        <SegmentedControl size="xs" aria-label="Projection" data={[...PROJECTIONS]} value={how} onChange={(next) => { setSlab(slab_mm, next as Projection); }} />
      )}
    </div>
  );
}
