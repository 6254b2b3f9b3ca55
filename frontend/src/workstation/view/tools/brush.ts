/** Painting voxels of a region: a ball (in the plane's slices: a disc) along the pointer's way. */
import type { GridShape, KeptRegion, Vector } from "../../../api/workstation";
import { makeRegion, measuredView, remakeRegion } from "../../model/making";
import { useWorkspace } from "../../model/store";
import { axis, counts, indexOf, pointOf } from "../engine/grid";
import { add, at, distance, dot, scale, subtract } from "../engine/vectors";
import { maskOf, shapeOfMask, type Mask } from "../outlines";
import { pointAt } from "../planes";
import type { Drag, Pane, Place } from "./drags";
import { seriesOf } from "./regions";
import { setSketch } from "./sketch";

/** The same voxels in a box that holds another one as well. */
export function widened(mask: Mask, bounds: readonly number[]): Mask {
  const b = mask.bounds;
  const isEmpty = mask.inside.length === 0;
  const next = b.map((each, which) => {
    const other = at(bounds, which);
    if (isEmpty) return other;
    return which % 2 ? Math.max(each, other) : Math.min(each, other);
  });
  const [wide, tall] = [at(next, 1) - at(next, 0), at(next, 3) - at(next, 2)];
  const inside = new Uint8Array(wide * tall * (at(next, 5) - at(next, 4)));
  const row = at(b, 1) - at(b, 0);
  for (let k = at(b, 4); k < at(b, 5); k++) {
    for (let j = at(b, 2); j < at(b, 3); j++) {
      const from = ((k - at(b, 4)) * (at(b, 3) - at(b, 2)) + (j - at(b, 2))) * row;
      const to = ((k - at(next, 4)) * tall + (j - at(next, 2))) * wide + at(b, 0) - at(next, 0);
      inside.set(mask.inside.subarray(from, from + row), to);
    }
  }
  return { grid: mask.grid, bounds: next, inside };
}

interface Stroke {
  points_mm: readonly Vector[];
  radius_mm: number;
  normal: Vector;
  /** Through all slices; else only in that which is seen. */
  isBall?: boolean;
}

/** Voxels whose centres lie within the radius of the stroke, in the slice that is seen or in all. */
export function painted(mask: Mask, stroke: Stroke, isAdding: boolean): Mask {
  const { grid } = mask;
  const reach = boundsOf(grid, stroke);
  const made = isAdding ? widened(mask, reach) : { ...mask, inside: mask.inside.slice() };
  const b = made.bounds;
  // Half of a slice as it lies across the plane.
  const half = ([0, 1, 2] as const).reduce<number>(
    (sum, which) => sum + Math.abs(dot(axis(grid, which), stroke.normal)) * grid.spacing_mm[which],
    0,
  ) / 2;
  const [wide, tall] = [at(b, 1) - at(b, 0), at(b, 3) - at(b, 2)];
  for (let k = Math.max(at(reach, 4), at(b, 4)); k < Math.min(at(reach, 5), at(b, 5)); k++) {
    for (let j = Math.max(at(reach, 2), at(b, 2)); j < Math.min(at(reach, 3), at(b, 3)); j++) {
      for (let i = Math.max(at(reach, 0), at(b, 0)); i < Math.min(at(reach, 1), at(b, 1)); i++) {
        if (!isStruck(pointOf(grid, [i, j, k]), stroke, half)) continue;
        made.inside[((k - at(b, 4)) * tall + (j - at(b, 2))) * wide + (i - at(b, 0))] = isAdding ? 1 : 0;
      }
    }
  }
  return made;
}

const SLACK_MM = 1e-3;

function isStruck(point: Vector, { points_mm, radius_mm, normal, isBall }: Stroke, half_mm: number): boolean {
  return points_mm.some((each, which) => {
    if (isBall) return distanceTo(point, points_mm[which - 1] ?? each, each) <= radius_mm;
    const depth = dot(subtract(point, each), normal);
    if (Math.abs(depth) > half_mm + SLACK_MM) return false;
    const flat = subtract(point, scale(normal, depth));
    return distanceTo(flat, points_mm[which - 1] ?? each, each) <= radius_mm;
  });
}

/** From a point to the line between two others. */
function distanceTo(point: Vector, from: Vector, to: Vector): number {
  const way = subtract(to, from);
  const square = dot(way, way);
  const share = square ? Math.min(1, Math.max(0, dot(subtract(point, from), way) / square)) : 0;
  return distance(point, add(from, scale(way, share)));
}

function boundsOf(grid: GridShape, { points_mm, radius_mm }: Stroke): number[] {
  const n = counts(grid);
  const indices = points_mm.map((point) => indexOf(grid, point));
  return ([0, 1, 2] as const).flatMap((which) => {
    const all = indices.map((index) => index[which]);
    const reach = radius_mm / grid.spacing_mm[which] + 1;
    const low = Math.max(0, Math.floor(Math.min(...all) - reach));
    return [Math.min(low, n[which] - 1), Math.min(n[which], Math.ceil(Math.max(...all) + reach) + 1)];
  });
}

/** The region that is painted on, where its voxels lie in the frame of the pane. */
function edited(pane: Pane, id: string | null): KeptRegion | null {
  const region = useWorkspace.getState().doc.regions.find((each) => each.id === id);
  if (region?.shape.grid.FrameOfReferenceUID !== pane.shown.anchor.FrameOfReferenceUID) return null;
  return region;
}

/** Without one, a new region on the measured series' own voxels, where those lie in this frame. */
function begun(pane: Pane): Mask | null {
  const state = useWorkspace.getState();
  const series = measuredView(state, seriesOf(pane))?.series;
  const facts = [state.facts[series ?? ""], pane.shown.anchor].find((each) => each && !each.is_resampled);
  if (!facts) return null;
  const { shape, origin_mm, spacing_mm, direction, FrameOfReferenceUID } = facts;
  const grid = { shape, origin_mm, spacing_mm, direction, FrameOfReferenceUID };
  return { grid, bounds: [0, 0, 0, 0, 0, 0], inside: new Uint8Array(0) };
}

/** Paints one stroke on the region `id`, or on a new one; the id of what was painted. */
async function put(pane: Pane, stroke: Stroke, isAdding: boolean, id: string | null): Promise<string | null> {
  const region = edited(pane, id);
  const mask = region ? maskOf(region.shape) : isAdding ? begun(pane) : null;
  if (!mask) return id;
  const rule = { kind: "shape", shape: shapeOfMask(painted(mask, stroke, isAdding)) } as const;
  // What somebody else has outlined stays as it is: its copy is changed.
  if (region?.kind === "structure") return makeRegion(rule, { kind: "lesion", series: region.series, name: region.name });
  if (!region) return makeRegion(rule, { kind: "lesion", series: seriesOf(pane) });
  await remakeRegion(region.id, rule);
  return id;
}

let last: Promise<unknown> = Promise.resolve();
let waiting = 0;
/** Regions that strokes began while others were waiting: by what was chosen then. */
const begunBy = new Map<string | null, string>();

/** Each stroke is put on what the one before it has made. */
function keep(pane: Pane, stroke: Stroke, isAdding: boolean): void {
  const chosen = useWorkspace.getState().selection;
  waiting += 1;
  last = last
    .then(async () => {
      const made = await put(pane, stroke, isAdding, begunBy.get(chosen) ?? chosen);
      if (made !== null && made !== chosen) begunBy.set(chosen, made);
    })
    .catch(() => undefined)
    .finally(() => {
      waiting -= 1;
      if (waiting === 0) begunBy.clear();
    });
}

export function brushDrag(pane: Pane, from: Place, isAdding: boolean): Drag {
  const { brush_mm: width_mm, brush_is_ball: isBall } = useWorkspace.getState().options;
  const points_mm = [pointAt(pane.view, from.x, from.y)];
  const show = () => { setSketch({ pane: pane.spec.pane, kind: "brush", points_mm: [...points_mm], width_mm }); };
  return {
    move: ({ x, y }) => {
      points_mm.push(pointAt(pane.view, x, y));
      show();
    },
    end: () => {
      setSketch(null);
      keep(pane, { points_mm, radius_mm: width_mm / 2, normal: pane.view.normal, isBall }, isAdding);
    },
    cancel: () => { setSketch(null); },
  };
}
