/** Outlines by hand: free (a drag), or a curve through points (clicks). */
import type { Vector } from "../../../api/workstation";
import { curveThrough, outlined, withOutline } from "../../delineating/contours";
import { isOnItsBase, makeRegion, refineRegion } from "../../model/making";
import { useWorkspace } from "../../model/store";
import { stepAlong } from "../engine/grid";
import { placeOf, pointAt } from "../planes";
import type { Drag, Pane, Place } from "./drags";
import { seriesOf } from "./regions";
import { setSketch, useSketch } from "./sketch";

/** Points closer than this many pixels say nothing new. */
const APART = 3;
const FEWEST = 3;
/** Of the first point: a click there closes the curve. */
const CLOSE = 9;

function keep(pane: Pane, points_mm: Vector[]): void {
  if (points_mm.length < FEWEST) return;
  const state = useWorkspace.getState();
  const { doc, selection, options } = state;
  const found = outlined(doc.regions, selection);
  // Outlines of two frames of reference make no region.
  const kept = found && isOnItsBase(state, found) ? found : null;
  const { normal, onward } = pane.view;
  const plane = { points_mm };
  const step_mm = stepAlong(pane.shown.below ?? pane.shown.anchor, onward);
  const longer = kept && withOutline(kept.rule, { plane, normal, step_mm }, options.is_interpolating);
  if (kept && longer) refineRegion(kept.id, longer);
  else void makeRegion({ kind: "contours", planes: [plane], interpolate: options.is_interpolating }, { kind: "lesion", series: seriesOf(pane) });
}

/** The points that were clicked so far, if they lie in this pane's plane. */
function clickedIn(pane: Pane): Vector[] {
  const { sketch } = useSketch.getState();
  if (sketch?.kind !== "curve" || sketch.pane !== pane.spec.pane) return [];
  const OFF_MM = 0.1;
  return sketch.points_mm.every((point) => Math.abs(placeOf(pane.view, point)[2]) < OFF_MM) ? sketch.points_mm : [];
}

function click(pane: Pane, to: Place): void {
  const points = clickedIn(pane);
  const [first] = points;
  const [x, y] = first ? placeOf(pane.view, first) : [NaN, NaN];
  if (points.length >= FEWEST && Math.hypot(to.x - x, to.y - y) < CLOSE) {
    closeCurve(pane);
    return;
  }
  setSketch({ pane: pane.spec.pane, kind: "curve", points_mm: [...points, pointAt(pane.view, to.x, to.y)] });
}

/** Ends a curve that is being clicked; whether there was one. */
export function closeCurve(pane: Pane): boolean {
  const points = clickedIn(pane);
  if (points.length < FEWEST) return false;
  setSketch(null);
  keep(pane, curveThrough(points));
  return true;
}

/** Takes the last point back; whether there was one. */
export function dropPoint(pane: Pane): boolean {
  const points = clickedIn(pane);
  if (!points.length) return false;
  setSketch(points.length > 1 ? { pane: pane.spec.pane, kind: "curve", points_mm: points.slice(0, -1) } : null);
  return true;
}

export function contourDrag(pane: Pane, from: Place): Drag {
  const points: Place[] = [from];
  const points_mm: Vector[] = [pointAt(pane.view, from.x, from.y)];
  const put = (to: Place) => {
    const last = points.at(-1) ?? from;
    if (Math.hypot(to.x - last.x, to.y - last.y) < APART) return;
    points.push(to);
    points_mm.push(pointAt(pane.view, to.x, to.y));
  };
  return {
    move: (to) => {
      put(to);
      setSketch({ pane: pane.spec.pane, kind: "contour", points_mm: [...points_mm] });
    },
    end: (to, isClick) => {
      if (isClick) {
        click(pane, to);
        return;
      }
      setSketch(null);
      keep(pane, points_mm);
    },
    cancel: () => { setSketch(null); },
  };
}
