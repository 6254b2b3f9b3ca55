/** Where voxels lie (`VolumeFacts`), and how a plane of pixels runs through them. */
import type { Vector } from "../../../api/workstation";
import { movedPoint, movedWay } from "./matrices";
import { add, along, at, dot, scale, subtract } from "./vectors";

export interface Grid {
  /** Slices, rows, columns. */
  shape: Vector;
  /** The centre of the first voxel. */
  origin_mm: Vector;
  spacing_mm: Vector;
  /** Unit vectors of i, j and k; right angles. */
  direction: number[];
}

/** A plane of pixels: the centre of the upper left one, and the ways to the right and down in mm a pixel. */
export interface PixelPlane {
  first_mm: Vector;
  across_mm: Vector;
  down_mm: Vector;
  /** Of length 1. */
  normal: Vector;
}

export function axis(grid: Grid, which: 0 | 1 | 2): Vector {
  const { direction: d } = grid;
  return [at(d, 3 * which), at(d, 3 * which + 1), at(d, 3 * which + 2)];
}

/** Voxels along i, j, k. */
export const counts = (grid: Grid): Vector => [grid.shape[2], grid.shape[1], grid.shape[0]];

/** Indices i, j, k of a point; whole numbers are voxel centres. */
export function indexOf(grid: Grid, point: Vector): Vector {
  return turned(grid, subtract(point, grid.origin_mm), grid.spacing_mm);
}

export function pointOf(grid: Grid, index: Vector): Vector {
  const step = (which: 0 | 1 | 2) => scale(axis(grid, which), index[which] * grid.spacing_mm[which]);
  return add(grid.origin_mm, add(step(0), add(step(1), step(2))));
}

export function centreOf(grid: Grid): Vector {
  const [i, j, k] = counts(grid);
  return pointOf(grid, [(i - 1) / 2, (j - 1) / 2, (k - 1) / 2]);
}

function turned(grid: Grid, vector: Vector, unit_mm: Vector): Vector {
  return [
    dot(vector, axis(grid, 0)) / unit_mm[0],
    dot(vector, axis(grid, 1)) / unit_mm[1],
    dot(vector, axis(grid, 2)) / unit_mm[2],
  ];
}

/** The half of a box about the grid along a direction, voxels to their edges. */
export function halfExtent(grid: Grid, direction: Vector): number {
  const n = counts(grid);
  const half = (which: 0 | 1 | 2) => (n[which] * grid.spacing_mm[which] * Math.abs(dot(axis(grid, which), direction))) / 2;
  return half(0) + half(1) + half(2);
}

/** How far slices lie apart along a direction: the step of scrolling. */
export function stepAlong(grid: Grid, direction: Vector): number {
  const share = (which: 0 | 1 | 2) => Math.abs(dot(axis(grid, which), direction));
  const shares = [share(0), share(1), share(2)];
  return at(grid.spacing_mm, shares.indexOf(Math.max(...shares)));
}

/** Samples through a slab, one voxel apart or less; as `radfuse.fusion.planes` has it. */
export function layersOf(grid: Grid, slab_mm: number): { count: number; step_mm: number } {
  if (slab_mm <= 0) return { count: 1, step_mm: 0 };
  const count = Math.max(1, Math.ceil(slab_mm / Math.min(...grid.spacing_mm)));
  return { count, step_mm: slab_mm / count };
}

/** The same pixels, where a matrix (16 numbers, row by row) puts them. */
export function movedPlane(plane: PixelPlane, matrix: readonly number[] | null | undefined): PixelPlane {
  if (!matrix) return plane;
  return {
    first_mm: movedPoint(matrix, plane.first_mm),
    across_mm: movedWay(matrix, plane.across_mm),
    down_mm: movedWay(matrix, plane.down_mm),
    normal: movedWay(matrix, plane.normal),
  };
}

/** Texture coordinates (0 to 1 from edge to edge): first pixel in the first layer, then the three steps. */
export function texturePlane(grid: Grid, plane: PixelPlane, slab_mm: number): { plane: number[]; count: number } {
  const { count, step_mm } = layersOf(grid, slab_mm);
  const n = counts(grid);
  const size_mm: Vector = [n[0] * grid.spacing_mm[0], n[1] * grid.spacing_mm[1], n[2] * grid.spacing_mm[2]];
  const first = along(plane.first_mm, plane.normal, (-(count - 1) / 2) * step_mm);
  const corner = pointOf(grid, [-0.5, -0.5, -0.5]);
  return {
    count,
    plane: [
      ...turned(grid, subtract(first, corner), size_mm),
      ...turned(grid, plane.across_mm, size_mm),
      ...turned(grid, plane.down_mm, size_mm),
      ...turned(grid, scale(plane.normal, step_mm), size_mm),
    ],
  };
}
