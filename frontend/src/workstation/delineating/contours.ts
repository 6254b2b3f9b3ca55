/** Outlines: curves through clicked points, and outlines of several slices as one region. */
import type { ContourPlane, KeptRegion, Rule, Vector } from "../../api/workstation";

const BETWEEN = 8;

/** A closed curve through all points (Catmull-Rom), as a polygon. */
export function curveThrough(points: readonly Vector[]): Vector[] {
  const n = points.length;
  if (n < 3) return [...points];
  const at = (which: number): Vector => points[((which % n) + n) % n] ?? [0, 0, 0];
  return points.flatMap((_, which) => {
    const [p, q, r, s] = [at(which - 1), at(which), at(which + 1), at(which + 2)];
    return Array.from({ length: BETWEEN }, (_none, step) => {
      const t = step / BETWEEN;
      const along = (axis: 0 | 1 | 2) =>
        q[axis] +
        (t / 2) * (r[axis] - p[axis] + t * (2 * p[axis] - 5 * q[axis] + 4 * r[axis] - s[axis] + t * (3 * (q[axis] - r[axis]) + s[axis] - p[axis])));
      return [along(0), along(1), along(2)] satisfies Vector;
    });
  });
}

const dot = (one: Vector, other: Vector) => one[0] * other[0] + one[1] * other[1] + one[2] * other[2];

function depthOf({ points_mm }: ContourPlane, normal: Vector): [least: number, most: number] {
  const depths = points_mm.map((point) => dot(point, normal));
  return [Math.min(...depths), Math.max(...depths)];
}

/** Whether all of it lies in planes across this direction. */
function isAcross(plane: ContourPlane, normal: Vector): boolean {
  const FLAT_MM = 0.1;
  const [least, most] = depthOf(plane, normal);
  return most - least < FLAT_MM;
}

interface Outline {
  plane: ContourPlane;
  normal: Vector;
  /** How far the next slice is. */
  step_mm: number;
}

/** The rule of a region with one outline more; what was drawn on the same slice is gone. null: they do not go together. */
export function withOutline(rule: Rule, { plane, normal, step_mm }: Outline, interpolate: boolean): Rule | null {
  if (rule.kind !== "contours" || !rule.planes.every((each) => isAcross(each, normal))) return null;
  const [depth] = depthOf(plane, normal);
  const others = rule.planes.filter((each) => Math.abs(depthOf(each, normal)[0] - depth) > step_mm / 2);
  return { kind: "contours", planes: [...others, plane], interpolate };
}

/** The region that another outline belongs to: the chosen one, if it is of outlines on the same series. */
export function outlined(regions: readonly KeptRegion[], selection: string | null): KeptRegion | null {
  const found = regions.find(({ id }) => id === selection);
  return found?.rule.kind === "contours" ? found : null;
}
