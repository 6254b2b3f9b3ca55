import { Button, NumberInput, SegmentedControl } from "@mantine/core";

import type { Box } from "../../api/registering";
import type { Vector } from "../../api/workstation";
import { useWorkspace } from "../model/store";
import { axis, type Grid } from "../view/engine/grid";
import { letterOf, opposite } from "../view/planes";
import { isBox, partWords } from "./part";
import styles from "./registering.module.css";
import { useRegistering, type Part } from "./store";

const PARTS: { value: Part; label: string }[] = [
  { value: "all", label: "All" },
  { value: "ball", label: "A ball" },
  { value: "box", label: "A box" },
];

const HINTS: Record<Exclude<Part, "all">, string> = {
  ball: "Drag in the base, from the middle outwards.",
  box: "Drag in the base, from corner to corner.",
};

function choose(part: Part): void {
  const { tool, setTool } = useWorkspace.getState();
  const { method, region } = useRegistering.getState();
  const isKept = region !== null && (part === "box") === isBox(region) && part !== "all";
  useRegistering.setState({ part, region: isKept ? region : null });
  if (part !== "all") setTool("part");
  else if (tool === "part") setTool(method === "manual" ? "hand" : method === "click" ? "pair" : "crosshair");
}

/** Which part of the images is compared. */
export function PartControls() {
  const { part, region } = useRegistering();
  const tool = useWorkspace((state) => state.tool);
  const grid = useWorkspace((state) => state.doc.base && state.facts[state.doc.base.series]);
  return (
    <div className={styles.partly}>
      <span className={styles.quiet}>What is compared</span>
      <SegmentedControl size="xs" fullWidth data={PARTS} value={part} aria-label="What is compared" onChange={(value) => { choose(value as Part); }} />
      {part !== "all" && (
        <div className={styles.buttons}>
          <span className={region ? styles.quiet : styles.next}>{region ? `Only ${partWords(region)}` : HINTS[part]}</span>
          {region && tool !== "part" && (
            <Button size="compact-xs" variant="subtle" flex="none" onClick={() => { useWorkspace.getState().setTool("part"); }}>Draw again</Button>
          )}
        </div>
      )}
      {region && isBox(region) && grid && <Sizes box={region} grid={grid} />}
    </div>
  );
}

/** Its three edges as numbers: the depth is not seen in the pane it was drawn in. */
function Sizes({ box, grid }: { box: Box; grid: Grid }) {
  const change = (which: 0 | 1 | 2, value: number) => {
    const size_mm = box.size_mm.map((each, at) => (at === which ? value : each)) as Vector;
    useRegistering.setState({ region: { ...box, size_mm } });
  };
  return (
    <div className={styles.six}>
      {([0, 1, 2] as const).map((which) => {
        const way = axis(grid, which);
        return (
          <NumberInput
            key={which} size="xs" min={1} step={5} decimalScale={0} suffix=" mm" label={`${letterOf(opposite(way))} – ${letterOf(way)}`}
            value={Math.round(box.size_mm[which])} onChange={(value) => { if (typeof value === "number" && value > 0) change(which, value); }}
          />
        );
      })}
    </div>
  );
}
