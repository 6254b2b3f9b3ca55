/** The part of the base that is compared: a ball, or a box along its voxels. */
import type { Box, Sphere } from "../../api/registering";
import type { Vector } from "../../api/workstation";
import { axis, counts, indexOf, pointOf, type Grid } from "../view/engine/grid";
import { add, at, cross, dot, scale, subtract, unit } from "../view/engine/vectors";

export const isBox = (region: Sphere | Box): region is Box => "size_mm" in region;

const AXES = [0, 1, 2] as const;
const vector = (of: (which: 0 | 1 | 2) => number): Vector => [of(0), of(1), of(2)];

/** A rectangle from corner to corner in a plane through `depth_mm`, as the box that it is a side of. */
interface Rectangle {
  from: Vector;
  to: Vector;
  /** Of the plane, of length 1. */
  normal: Vector;
}

/**
 * The rectangle gives the two extents that it shows; that along the sight stays as it was where the plane cuts the box,
 * and is otherwise as deep as the rectangle is wide on average.
 */
export function boxOf(grid: Grid, { from, to, normal }: Rectangle, before: Box | null): Box {
  const towards = vector((which) => Math.abs(dot(axis(grid, which), normal)));
  const through = towards.indexOf(Math.max(...towards));
  const ends = [from, to].map((point) => alongAxes(grid, point));
  const [first = [0, 0, 0], second = [0, 0, 0]] = ends;
  const sides = vector((which) => Math.abs(at(second, which) - at(first, which)));
  const depth = AXES.reduce<number>((sum, which) => sum + (which === through ? 0 : sides[which] / 2), 0);
  const middle = vector((which) => (at(first, which) + at(second, which)) / 2);
  const kept = before && [alongAxes(grid, before.centre), before.size_mm] as const;
  const isKept = kept !== null && Math.abs(at(kept[0], through) - at(middle, through)) <= at(kept[1], through) / 2;
  const centre = vector((which) => (which === through && isKept ? at(kept[0], which) : middle[which]));
  const size_mm = vector((which) => (which === through ? (isKept ? at(kept[1], which) : depth) : sides[which]));
  return withinGrid(grid, { centre: fromAxes(grid, centre), size_mm });
}

/** In mm along the axes of the grid. */
const alongAxes = (grid: Grid, point: Vector): Vector => vector((which) => dot(point, axis(grid, which)));
const fromAxes = (grid: Grid, along: Vector): Vector =>
  AXES.reduce<Vector>((sum, which) => add(sum, scale(axis(grid, which), along[which])), [0, 0, 0]);

/** Of what was drawn, what lies on voxels. */
function withinGrid(grid: Grid, box: Box): Box {
  const middle = indexOf(grid, box.centre);
  const ends = vector((which) => box.size_mm[which] / 2 / grid.spacing_mm[which]);
  const n = counts(grid);
  const low = vector((which) => Math.min(n[which] - 0.5, Math.max(-0.5, middle[which] - ends[which])));
  const high = vector((which) => Math.max(-0.5, Math.min(n[which] - 0.5, middle[which] + ends[which])));
  return {
    centre: pointOf(grid, vector((which) => (low[which] + high[which]) / 2)),
    size_mm: vector((which) => (high[which] - low[which]) * grid.spacing_mm[which]),
  };
}

/** Its edge in a plane: the corners in order; none where the plane passes it by. */
export function cutOf(grid: Grid, { centre, size_mm }: Box, point: Vector, normal: Vector): Vector[] {
  const corner = (signs: number): Vector =>
    AXES.reduce<Vector>((sum, which) => add(sum, scale(axis(grid, which), (signs & (1 << which) ? 0.5 : -0.5) * size_mm[which])), centre);
  const depth = (place: Vector) => dot(subtract(place, point), normal);
  const found: Vector[] = [];
  for (let signs = 0; signs < 8; signs++) {
    for (const which of AXES) {
      if (signs & (1 << which)) continue;
      const [one, other] = [corner(signs), corner(signs | (1 << which))];
      const [before, after] = [depth(one), depth(other)];
      if (before > 0 === after > 0) continue;
      found.push(add(one, scale(subtract(other, one), before / (before - after))));
    }
  }
  return around(found, normal);
}

/** Points of a convex outline, one after the other. */
function around(points: readonly Vector[], normal: Vector): Vector[] {
  const [first] = points;
  if (!first || points.length < 3) return [];
  const middle = scale(points.reduce(add, [0, 0, 0]), 1 / points.length);
  const right = unit(subtract(first, middle));
  const down = cross(normal, right);
  const angle = (point: Vector) => Math.atan2(dot(subtract(point, middle), down), dot(subtract(point, middle), right));
  return [...points].sort((one, other) => angle(one) - angle(other));
}

const mm = (value: number) => value.toFixed(0);

/** "a box of 120 x 80 x 60 mm" */
export function partWords(region: Sphere | Box): string {
  return isBox(region) ? `a box of ${region.size_mm.map(mm).join(" × ")} mm` : `a ball of ${mm(2 * region.radius_mm)} mm`;
}
