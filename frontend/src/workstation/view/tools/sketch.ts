/** What is being drawn, before it is kept. */
import { create } from "zustand";

import type { KeptLine, Vector } from "../../../api/workstation";

export type Sketch = { pane: string } & (
  | { kind: "line"; line: Omit<KeptLine, "id"> }
  | { kind: "round"; centre_mm: Vector; radii_mm: [number, number] }
  | { kind: "contour"; points_mm: Vector[] }
  /** Points of a curve that are clicked one by one. */
  | { kind: "curve"; points_mm: Vector[] }
  | { kind: "brush"; points_mm: Vector[]; width_mm: number }
);

export const useSketch = create<{ sketch: Sketch | null }>()(() => ({ sketch: null }));

export function setSketch(sketch: Sketch | null): void {
  useSketch.setState({ sketch });
}
