/** Planes that are turned: three at right angles, through the crosshair's point. */
import type { Vector } from "../../api/workstation";
import { movedWay, turnAbout } from "./engine/matrices";
import { at, cross, dot, length, scale, unit } from "./engine/vectors";

/** What stands for left, back and head: the normals of the sagittal, coronal and axial plane. */
export type Rows = readonly [Vector, Vector, Vector];

const PATIENT: Rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore

/** Of nine numbers, as drafts keep them; null: straight. */
export function rowsOf(turn: readonly number[] | null): Rows {
  if (turn?.length !== 9) return PATIENT;
  const row = (which: number): Vector => [at(turn, 3 * which), at(turn, 3 * which + 1), at(turn, 3 * which + 2)];
  return [row(0), row(1), row(2)];
}

const NOTHING = 1e-9;

/** All planes turned about a direction of length 1, right-handed, in degrees; null where they are straight again. */
export function turnedBy(turn: readonly number[] | null, about: Vector, degrees: number): number[] | null {
  const [first, second] = rowsOf(turn).map((row) => movedWay(turnAbout(about, degrees), row)) as [Vector, Vector, Vector];
  const left = unit(first);
  // However often they are turned they stay at right angles.
  const head = unit(cross(left, second));
  const rows = [left, cross(head, left), head];
  const isStraight = rows.every((row, which) => row.every((each, axis) => Math.abs(each - (which === axis ? 1 : 0)) < NOTHING));
  return isStraight ? null : rows.flat();
}

/** The angle between two directions of length 1, in degrees. */
export function angleBetween(one: Vector, other: Vector): number {
  return (Math.atan2(length(cross(one, other)), dot(one, other)) * 180) / Math.PI;
}

/** The shortest turn that takes one direction to another, of something else; `spare` where they are opposite. */
export function carried(way: Vector, from: Vector, to: Vector, spare: Vector): Vector {
  const hinge = cross(from, to);
  const degrees = angleBetween(from, to);
  if (length(hinge) < NOTHING) return degrees < 90 ? way : movedWay(turnAbout(spare, 180), way);
  return movedWay(turnAbout(scale(hinge, 1 / length(hinge)), degrees), way);
}
