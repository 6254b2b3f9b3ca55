/** Vectors of the patient's space: LPS, millimetres. */
import type { Vector } from "../../../api/workstation";

export const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const along = (from: Vector, direction: Vector, by: number): Vector => add(from, scale(direction, by));
export const length = (a: Vector): number => Math.sqrt(dot(a, a));
export const distance = (a: Vector, b: Vector): number => length(subtract(a, b));
export const unit = (a: Vector): Vector => scale(a, 1 / (length(a) || 1));

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** The number at a place that is there: of lists of a known length. */
export const at = (list: ArrayLike<number>, index: number): number => list[index] ?? 0;
