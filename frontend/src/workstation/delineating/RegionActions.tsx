import { Button, Menu, NumberInput, Popover } from "@mantine/core";
import { useState } from "react";

import type { KeptRegion, View } from "../../api/workstation";
import { viewsOf } from "../model/document";
import { useKnownSeries } from "../model/hooks";
import { makeRegion, measuredView, remakeRegion } from "../model/making";
import { useWorkspace } from "../model/store";
import { seriesWords } from "../model/words";
import styles from "../panels/panels.module.css";

/** What can be made of a region: with a margin, with another region, on another series, as a copy. */
export function RegionActions({ region }: { region: KeptRegion }) {
  const isOurs = region.kind !== "structure";
  return (
    <div className={styles.line}>
      {isOurs && <Margin region={region} />}
      {isOurs && <Combine region={region} />}
      <CarryTo region={region} />
      <Button
        size="compact-xs" variant="default" title={isOurs ? "The same voxels once more" : "A lesion of your own from it, which can be changed"}
        onClick={() => { void copyOf(region); }}
      >
        Copy
      </Button>
    </div>
  );
}

export function copyOf({ shape, series, name }: KeptRegion): Promise<string | null> {
  return makeRegion({ kind: "shape", shape }, { kind: "lesion", series, name: `${name} copy` });
}

function Margin({ region }: { region: KeptRegion }) {
  const [mm, setMm] = useState(5);
  const [isOpen, setOpen] = useState(false);
  const apply = () => {
    setOpen(false);
    if (mm !== 0) void remakeRegion(region.id, { kind: "margin", shape: region.shape, mm });
  };
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-start">
      <Popover.Target>
        <Button size="compact-xs" variant="default" onClick={() => { setOpen(!isOpen); }}>Margin</Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={styles.naming}>
          <NumberInput
            size="xs" aria-label="Margin; below 0 it shrinks" suffix=" mm" min={-50} max={50} step={1} decimalScale={1} value={mm}
            onChange={(value) => { if (typeof value === "number") setMm(value); }}
          />
          <Button size="xs" onClick={apply}>{mm < 0 ? "Shrink" : "Grow"}</Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

const OPERATIONS = [
  { operation: "add", words: "Add" },
  { operation: "subtract", words: "Take away" },
  { operation: "intersect", words: "Keep what it shares with" },
] as const;

/** The region with another one, on its own voxels. */
function Combine({ region }: { region: KeptRegion }) {
  const regions = useWorkspace((state) => state.doc.regions);
  const others = regions.filter(({ id }) => id !== region.id);
  if (!others.length) return null;
  return (
    <Menu position="bottom-start">
      <Menu.Target><Button size="compact-xs" variant="default">Combine</Button></Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: "auto" }}>
        {OPERATIONS.map(({ operation, words }) => (
          <div key={operation}>
            <Menu.Label>{words}</Menu.Label>
            {others.map((other) => (
              <Menu.Item key={other.id} onClick={() => { void remakeRegion(region.id, { kind: "combine", operation, first: region.shape, second: other.shape }); }}>
                {other.name}
              </Menu.Item>
            ))}
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The same place on another series of the workspace: through its registration where it has another frame. */
function CarryTo({ region }: { region: KeptRegion }) {
  const doc = useWorkspace((state) => state.doc);
  const others = viewsOf(doc).filter((view) => view.series !== region.series);
  if (!others.length) return null;
  return (
    <Menu position="bottom-start">
      <Menu.Target><Button size="compact-xs" variant="default">Carry to</Button></Menu.Target>
      <Menu.Dropdown>
        {others.map((view) => <Target key={view.series} view={view} region={region} />)}
      </Menu.Dropdown>
    </Menu>
  );
}

function Target({ view, region }: { view: View; region: KeptRegion }) {
  const known = useKnownSeries(view.series);
  const carry = () => {
    const from = measuredView(useWorkspace.getState(), region.series);
    if (!from) return;
    const { shape, name, colour } = region;
    void makeRegion({ kind: "carried", shape, from }, { series: view.series, kind: region.kind === "measurement" ? "measurement" : "lesion", name, colour });
  };
  return <Menu.Item onClick={carry}>{`${known.Modality} ${seriesWords(known)}`}</Menu.Item>;
}
