/** Moving by hand: three turns and three shifts of the moving images, as `radfuse.registration.manual` means them. */
import type { Vector, VolumeFacts } from "../../api/workstation";
import { centreOf, type Grid } from "../view/engine/grid";
import { after, inverse, matrixOf, movedPoint, turnAbout, type Matrix } from "../view/engine/matrices";
import { add, at, subtract } from "../view/engine/vectors";

export interface Six {
  /** The middle of the moving volume, in its own frame. */
  centre_mm: Vector;
  /** Along the patient's axes. */
  shift_mm: Vector;
  /** About the patient's x, then y, then z, right-handed. */
  turn_degrees: Vector;
}

const RADIANS = Math.PI / 180;

function turnOf([x, y, z]: Vector): Matrix {
  return after(turnAbout([0, 0, 1], z), after(turnAbout([0, 1, 0], y), turnAbout([1, 0, 0], x)));
}

/** The three angles of a turn; that about z is 0 where x and z cannot be told apart. */
function anglesOf(turn: Matrix): Vector {
  const of = (row: number, column: number) => at(turn, 4 * row + column);
  const y = Math.asin(Math.max(-1, Math.min(1, -of(2, 0))));
  const isUpright = Math.abs(of(2, 0)) > 1 - 1e-12;
  const x = isUpright ? Math.atan2(-of(1, 2), of(1, 1)) : Math.atan2(of(2, 1), of(2, 2));
  const z = isUpright ? 0 : Math.atan2(of(1, 0), of(0, 0));
  return [x / RADIANS, y / RADIANS, z / RADIANS];
}

/** From points of the fixed frame to those of the moving one, as every registration. */
export function matrixOfHand({ centre_mm, shift_mm, turn_degrees }: Six): Matrix {
  const turn = turnOf(turn_degrees);
  const shift = subtract(add(centre_mm, shift_mm), movedPoint(turn, centre_mm));
  return inverse(after(matrixOf([[1, 0, 0], [0, 1, 0], [0, 0, 1]], shift), turn)); // prettier-ignore
}

/** Nothing turned, and the middle of one on the middle of the other. */
export function centred(fixed: Grid, moving: Grid): Six {
  const centre_mm = centreOf(moving);
  return { centre_mm, shift_mm: subtract(centreOf(fixed), centre_mm), turn_degrees: [0, 0, 0] };
}

/** The parameters of a rigid matrix. */
export function handOf(matrix: Matrix, moving: Grid): Six {
  const carried = inverse(matrix);
  const centre_mm = centreOf(moving);
  return { centre_mm, shift_mm: subtract(movedPoint(carried, centre_mm), centre_mm), turn_degrees: anglesOf(carried) };
}

/** Shifted a little more, and turned a little more about a direction through where the middle now is. */
export function nudged(six: Six, shift_mm: Vector, turn?: { about: Vector; degrees: number }): Six {
  const moved = { ...six, shift_mm: add(six.shift_mm, shift_mm) };
  if (!turn) return moved;
  return { ...moved, turn_degrees: anglesOf(after(turnAbout(turn.about, turn.degrees), turnOf(six.turn_degrees))) };
}

function corner(facts: VolumeFacts): Matrix {
  const column = (which: number): Vector => [0, 1, 2].map((axis) => at(facts.direction, 3 * which + axis)) as Vector;
  const [i, j, k] = [column(0), column(1), column(2)];
  return matrixOf([[i[0], j[0], k[0]], [i[1], j[1], k[1]], [i[2], j[2], k[2]]], facts.origin_mm); // prettier-ignore
}

/** How the same voxels were laid over the base: from points of the base to those of the series by itself. */
export function matrixBetween(onBase: VolumeFacts, alone: VolumeFacts): Matrix {
  return after(corner(alone), inverse(corner(onBase)));
}
