import { NumberInput, SegmentedControl, Switch } from "@mantine/core";

import { Millimetres } from "../delineating/Millimetres";
import { ThresholdOptions } from "../delineating/ThresholdOptions";
import type { Tool } from "../model/state";
import { useWorkspace } from "../model/store";
import styles from "./panels.module.css";

/** What the chosen tool goes by; nothing for tools without a choice. */
export function ToolPanel() {
  const tool = useWorkspace((state) => state.tool);
  const Options = OPTIONS[tool];
  if (!Options) return null;
  return (
    <section className={styles.tool} aria-label="How the tool works">
      <Options />
    </section>
  );
}

const OPTIONS: Partial<Record<Tool, () => React.ReactNode>> = {
  threshold: ThresholdOptions,
  sphere: () => <Millimetres option="sphere_mm" label="Diameter of the ball" />,
  brush: () => <BrushOptions label="Diameter of the brush" />,
  eraser: () => <BrushOptions label="Diameter of the eraser" />,
  grow: GrowOptions,
  contour: ContourOptions,
};

function GrowOptions() {
  const tolerance = useWorkspace((state) => state.options.grow_tolerance);
  const setOption = useWorkspace((state) => state.setOption);
  return (
    <div className={styles.pair}>
      <NumberInput
        size="xs" label="As far from the value as" suffix=" %" value={Math.round(100 * tolerance)} min={1} max={300}
        onChange={(value) => { if (typeof value === "number" && value > 0) setOption({ grow_tolerance: value / 100 }); }}
      />
      <Millimetres option="within_mm" label="Within a ball of" />
    </div>
  );
}

const SHAPES = [
  { value: "disc", label: "This slice" },
  { value: "ball", label: "Ball" },
];

function BrushOptions({ label }: { label: string }) {
  const isBall = useWorkspace((state) => state.options.brush_is_ball);
  const setOption = useWorkspace((state) => state.setOption);
  return (
    <>
      <SegmentedControl
        size="xs" fullWidth data={SHAPES} value={isBall ? "ball" : "disc"} aria-label="What it paints"
        onChange={(shape) => { setOption({ brush_is_ball: shape === "ball" }); }}
      />
      <Millimetres option="brush_mm" label={label} />
      <p className={styles.note}>Alt and the wheel change its size. It changes the chosen region; without one, a new one begins.</p>
    </>
  );
}

function ContourOptions() {
  const isInterpolating = useWorkspace((state) => state.options.is_interpolating);
  const setOption = useWorkspace((state) => state.setOption);
  return (
    <>
      <Switch
        size="xs" label="Fill the slices between outlines" checked={isInterpolating}
        onChange={(event) => { setOption({ is_interpolating: event.currentTarget.checked }); }}
      />
      <p className={styles.note}>
        Drag: free hand. Click: the points of a curve; close it at the first point or with Enter. An outline on another slice belongs to
        the chosen region; on the same slice it takes the old one's place.
      </p>
    </>
  );
}
