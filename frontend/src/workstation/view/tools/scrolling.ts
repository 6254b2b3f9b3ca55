/** From slice to slice. */
import type { Vector } from "../../../api/workstation";
import { centreOf, halfExtent, stepAlong } from "../engine/grid";
import { along, dot, subtract } from "../engine/vectors";
import type { PaneView } from "../planes";
import { cursorNow, type Shown } from "../scenes";
import { lookAt } from "../useDrawnPane";

/** The slices of what is seen; a turned plane runs between voxels, and goes by the finest spacing of the base. */
function stepOf(shown: Shown, view: PaneView): number {
  if (view.lean_degrees > 0) return Math.min(...shown.anchor.spacing_mm);
  return stepAlong(shown.below ?? shown.anchor, view.onward);
}

/** `count` slices further, at most to the last one. */
export function stepped(shown: Shown, view: PaneView, from: Vector, count: number): Vector {
  const middle = centreOf(shown.anchor);
  const most = halfExtent(shown.anchor, view.onward) - stepOf(shown, view) / 2;
  const depth = dot(subtract(from, middle), view.onward);
  const next = Math.min(most, Math.max(-most, depth + count * stepOf(shown, view)));
  return along(from, view.onward, next - depth);
}

export function scroll(shown: Shown, view: PaneView, count: number): void {
  lookAt(shown, stepped(shown, view, cursorNow(shown), count));
}

const PAGE = 10;
/** Home is that of all panes. */
const KEYS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };

/** How many slices a key goes; 0: it is no such key. */
export function slicesOf(key: string): number {
  return KEYS[key] ?? 0;
}

/** Of a wheel: a notch is one slice, whatever the browser counts; of a touch pad some pixels are one. */
export function wheelSteps(rest: number, event: { deltaY: number; deltaMode: number }): { steps: number; rest: number } {
  const NOTCH = 100;
  const FINE = 30;
  if (event.deltaMode !== 0) return { steps: Math.sign(event.deltaY), rest: 0 };
  if (Math.abs(event.deltaY) >= NOTCH) return { steps: Math.trunc(event.deltaY / NOTCH), rest: 0 };
  const total = rest + event.deltaY;
  const steps = Math.trunc(total / FINE);
  return { steps, rest: total - steps * FINE };
}
