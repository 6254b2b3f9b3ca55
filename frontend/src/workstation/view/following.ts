/** Panes that are zoomed keep the crosshair's point where it is while their planes turn; the others stay centred. */
import type { WorkspaceState } from "../../api/workstation";
import { useWorkspace } from "../model/store";
import { centreOf, type Grid } from "./engine/grid";
import { dot, subtract } from "./engine/vectors";
import { axesOf } from "./planes";

const PLANES = ["axial", "coronal", "sagittal"] as const;
/** Of a millimetre: what is lost on the way there and back. */
const FINEST = 1e6;

type Looked = Pick<WorkspaceState, "cursor_mm" | "plane_turn" | "zoom" | "pan">;

/** Where zoomed planes of `now` must be moved to after they lay as in `turn`. */
export function pansAfter(turn: WorkspaceState["plane_turn"], now: Looked, grid: Grid): Record<string, [number, number]> {
  const { cursor_mm, plane_turn, zoom, pan } = now;
  if (!cursor_mm) return {};
  const away = subtract(cursor_mm, centreOf(grid));
  const zoomed = PLANES.filter((plane) => (zoom[plane] ?? 1) > 1);
  return Object.fromEntries(
    zoomed.map((plane) => {
      const [before, after] = [axesOf(plane, turn, grid), axesOf(plane, plane_turn, grid)];
      const [right, down] = pan[plane] ?? [0, 0];
      const next = [right + dot(away, subtract(after.right, before.right)), down + dot(away, subtract(after.down, before.down))];
      return [plane, next.map((each) => Math.round(each * FINEST) / FINEST) as [number, number]];
    }),
  );
}

/** From now on, whatever turns them (a drag, undo); the answer ends it. */
export function startFollowing(): () => void {
  return useWorkspace.subscribe((now, before) => {
    const { doc, facts, id, setPan } = now;
    // A view that is shown anew brings its own pans.
    if (id !== before.id || doc.plane_turn === before.doc.plane_turn || doc.pan !== before.doc.pan) return;
    const grid = doc.base && facts[doc.base.series];
    if (!grid) return;
    for (const [plane, pan] of Object.entries(pansAfter(before.doc.plane_turn, doc, grid))) setPan(plane, pan);
  });
}
