/** Affine matrices: 16 numbers, row by row, the last row 0 0 0 1. */
import type { Vector } from "../../../api/workstation";
import { add, at, cross, dot, scale } from "./vectors";

export type Matrix = readonly number[];

function row(matrix: Matrix, which: number): Vector {
  return [at(matrix, 4 * which), at(matrix, 4 * which + 1), at(matrix, 4 * which + 2)];
}

/** A direction, or a way from one point to another. */
export function movedWay(matrix: Matrix, way: Vector): Vector {
  return [dot(row(matrix, 0), way), dot(row(matrix, 1), way), dot(row(matrix, 2), way)];
}

export function movedPoint(matrix: Matrix, point: Vector): Vector {
  const [x, y, z] = movedWay(matrix, point);
  return [x + at(matrix, 3), y + at(matrix, 7), z + at(matrix, 11)];
}

export function matrixOf(rows: readonly [Vector, Vector, Vector], shift: Vector): Matrix {
  return [...rows[0], shift[0], ...rows[1], shift[1], ...rows[2], shift[2], 0, 0, 0, 1];
}

/** Turned about a direction of length 1, right-handed. */
export function turnAbout(direction: Vector, degrees: number): Matrix {
  const angle = (degrees * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const of = (axis: Vector): Vector =>
    add(add(scale(axis, c), scale(cross(direction, axis), s)), scale(direction, dot(direction, axis) * (1 - c)));
  const [x, y, z] = [of([1, 0, 0]), of([0, 1, 0]), of([0, 0, 1])];
  return matrixOf([[x[0], y[0], z[0]], [x[1], y[1], z[1]], [x[2], y[2], z[2]]], [0, 0, 0]); // prettier-ignore
}

/** First `first`, then `then`. */
export function after(then: Matrix, first: Matrix): Matrix {
  const columns = [0, 1, 2].map((which) => movedWay(then, [at(first, which), at(first, 4 + which), at(first, 8 + which)]));
  const shift = movedPoint(then, [at(first, 3), at(first, 7), at(first, 11)]);
  const of = (which: 0 | 1 | 2): Vector => [columns[0]?.[which] ?? 0, columns[1]?.[which] ?? 0, columns[2]?.[which] ?? 0];
  return matrixOf([of(0), of(1), of(2)], shift);
}

export function inverse(matrix: Matrix): Matrix {
  const [a, b, c] = [row(matrix, 0), row(matrix, 1), row(matrix, 2)];
  const size = dot(a, cross(b, c));
  const [p, q, r] = [cross(b, c), cross(c, a), cross(a, b)].map((each) => scale(each, 1 / size)) as [Vector, Vector, Vector];
  const back = matrixOf([[p[0], q[0], r[0]], [p[1], q[1], r[1]], [p[2], q[2], r[2]]], [0, 0, 0]); // prettier-ignore
  const [x, y, z] = movedWay(back, [at(matrix, 3), at(matrix, 7), at(matrix, 11)]);
  return matrixOf([row(back, 0), row(back, 1), row(back, 2)], [-x, -y, -z]);
}
