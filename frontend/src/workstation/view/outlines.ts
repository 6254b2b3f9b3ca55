/** Regions as lines in a plane: along the edges of their voxels, which is what the numbers are of. */
import type { GridShape, RegionShape, Vector } from "../../api/workstation";
import { axis, indexOf, pointOf } from "./engine/grid";
import { add, at, dot, scale, subtract } from "./engine/vectors";
import type { Axes } from "./planes";

/** A region's voxels, in its box. */
export interface Mask {
  grid: GridShape;
  /** i0, i1, j0, j1, k0, k1; ends are outside. */
  bounds: number[];
  /** 1 is inside; in the order k, j, i. */
  inside: Uint8Array;
}

const MASKS = new WeakMap<RegionShape, Mask>();

export function maskOf(shape: RegionShape): Mask {
  const known = MASKS.get(shape);
  if (known) return known;
  const [i0, i1, j0, j1, k0, k1] = [0, 1, 2, 3, 4, 5].map((each) => at(shape.bounds, each)) as [
    number, number, number, number, number, number,
  ]; // prettier-ignore
  const inside = new Uint8Array(Math.max(0, (i1 - i0) * (j1 - j0) * (k1 - k0)));
  const bytes = Uint8Array.from(atob(shape.runs), (letter) => letter.charCodeAt(0));
  const runs = new DataView(bytes.buffer);
  let from = 0;
  for (let run = 0; run < bytes.length / 4; run++) {
    const to = from + runs.getUint32(4 * run, true);
    if (run % 2) inside.fill(1, from, to);
    from = to;
  }
  const made = { grid: shape.grid, bounds: shape.bounds, inside };
  MASKS.set(shape, made);
  return made;
}

/** The other way round. */
export function shapeOfMask({ grid, bounds, inside }: Mask): RegionShape {
  const runs: number[] = [];
  let value = 0;
  let from = 0;
  while (from < inside.length) {
    const found = inside.indexOf(1 - value, from);
    const to = found === -1 ? inside.length : found;
    runs.push(to - from);
    from = to;
    value = 1 - value;
  }
  const view = new DataView(new ArrayBuffer(4 * runs.length));
  runs.forEach((run, which) => { view.setUint32(4 * which, run, true); });
  const letters = Array.from(new Uint8Array(view.buffer), (byte) => String.fromCharCode(byte)).join("");
  return { grid, bounds, runs: btoa(letters) };
}

export function isInside(mask: Mask, index: Vector): boolean {
  const b = mask.bounds;
  const [i, j, k] = [Math.floor(index[0] + 0.5), Math.floor(index[1] + 0.5), Math.floor(index[2] + 0.5)];
  if (i < at(b, 0) || i >= at(b, 1) || j < at(b, 2) || j >= at(b, 3) || k < at(b, 4) || k >= at(b, 5)) return false;
  const wide = at(b, 1) - at(b, 0);
  const tall = at(b, 3) - at(b, 2);
  return mask.inside[((k - at(b, 4)) * tall + (j - at(b, 2))) * wide + (i - at(b, 0))] === 1;
}

/** An outline in mm to the right and down of `from_mm`. */
export interface Outline {
  from_mm: Vector;
  path: string;
}

const MOST_CELLS = 1 << 20;

/** The step of the lattice along a direction of the pane: that of the voxels most along it. */
function stepOf(grid: GridShape, direction: Vector): number {
  const shares = ([0, 1, 2] as const).map((which) => Math.abs(dot(axis(grid, which), direction)));
  const most = Math.max(...shares);
  // Along an axis its own step; between axes the least, lest a voxel is missed.
  return most > 0.999 ? at(grid.spacing_mm, shares.indexOf(most)) : Math.min(...grid.spacing_mm);
}

/** Corners of the region's box. */
export function cornersOf({ grid, bounds: b }: Pick<Mask, "grid" | "bounds">): Vector[] {
  const all: Vector[] = [];
  for (const i of [at(b, 0) - 0.5, at(b, 1) - 0.5]) {
    for (const j of [at(b, 2) - 0.5, at(b, 3) - 0.5]) {
      for (const k of [at(b, 4) - 0.5, at(b, 5) - 0.5]) all.push(pointOf(grid, [i, j, k]));
    }
  }
  return all;
}

/** The same in mm along a direction. */
function reach(mask: Mask, direction: Vector, from: Vector): [number, number] {
  const all = cornersOf(mask).map((corner) => dot(subtract(corner, from), direction));
  return [Math.min(...all), Math.max(...all)];
}

/** null where the plane does not meet it. */
export function outlineOf(mask: Mask, axes: Axes, point_mm: Vector): Outline | null {
  const { grid } = mask;
  // The lattice's corners are voxel corners wherever the plane runs along voxels.
  const corner = pointOf(grid, [-0.5, -0.5, -0.5]);
  const depth = dot(subtract(point_mm, corner), axes.normal);
  const from = add(corner, scale(axes.normal, depth));
  const [near, far] = reach(mask, axes.normal, corner);
  if (depth < near || depth > far) return null;
  const [fine, low] = [stepOf(grid, axes.right), stepOf(grid, axes.down)];
  const [left, right] = reach(mask, axes.right, corner);
  const [top, bottom] = reach(mask, axes.down, corner);
  // Along no axis of the voxels there are more cells: rather coarser lines than none.
  const finest = ((right - left) / fine) * ((bottom - top) / low);
  const coarse = Math.max(1, Math.ceil(Math.sqrt(finest / MOST_CELLS)));
  const [wide, tall] = [coarse * fine, coarse * low];
  const SLACK = 1e-4;
  const [u0, v0] = [Math.floor(left / wide + SLACK), Math.floor(top / tall + SLACK)];
  const columns = Math.ceil(right / wide - SLACK) - u0;
  const rows = Math.ceil(bottom / tall - SLACK) - v0;
  if (columns < 1 || rows < 1) return null;
  const cell = (u: number, v: number) => {
    const middle = add(from, add(scale(axes.right, (u0 + u + 0.5) * wide), scale(axes.down, (v0 + v + 0.5) * tall)));
    return isInside(mask, indexOf(grid, middle));
  };
  const cells = new Uint8Array(columns * rows);
  for (let v = 0; v < rows; v++) for (let u = 0; u < columns; u++) if (cell(u, v)) cells[v * columns + u] = 1;
  const path = edges(cells, columns, rows, (u, v) => [(u0 + u) * wide, (v0 + v) * tall]);
  return path ? { from_mm: from, path } : null;
}

type Place = (u: number, v: number) => [number, number];

/** Lines between cells that are inside and those that are not, joined where they go straight on. */
export function edges(cells: Uint8Array, columns: number, rows: number, place: Place): string {
  const inside = (u: number, v: number) => u >= 0 && v >= 0 && u < columns && v < rows && cells[v * columns + u] === 1;
  const parts: string[] = [];
  const line = (from: [number, number], to: [number, number]) => {
    parts.push(`M${from[0].toFixed(2)} ${from[1].toFixed(2)}L${to[0].toFixed(2)} ${to[1].toFixed(2)}`);
  };
  const walk = (lines: number, length: number, differs: (line: number, at: number) => boolean, put: typeof line, of: Place) => {
    for (let each = 0; each <= lines; each++) {
      let start = -1;
      for (let where = 0; where <= length; where++) {
        const here = where < length && differs(each, where);
        if (here && start < 0) start = where;
        if (here || start < 0) continue;
        put(of(start, each), of(where, each));
        start = -1;
      }
    }
  };
  walk(rows, columns, (v, u) => inside(u, v) !== inside(u, v - 1), line, place);
  walk(columns, rows, (u, v) => inside(u, v) !== inside(u - 1, v), line, (v, u) => place(u, v));
  return parts.join("");
}

