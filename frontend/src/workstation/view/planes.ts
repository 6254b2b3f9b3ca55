/** Where a pane looks: its axes in the patient, its part of the plane, and the ways between pixels and points. */
import type { Vector } from "../../api/workstation";
import type { Plane } from "../model/layouts";
import { axis, centreOf, halfExtent, type Grid, type PixelPlane } from "./engine/grid";
import { add, along, at, cross, dot, scale, subtract, unit } from "./engine/vectors";
import { angleBetween, carried, rowsOf } from "./turning";

export interface Axes {
  right: Vector;
  down: Vector;
  /** right x down. */
  normal: Vector;
  /** Where the next slice lies: towards the feet, the back, the left. */
  onward: Vector;
  /** Right and down of the plane before it was turned: the scale is of these. */
  upright: readonly [Vector, Vector];
  /** Along these the other two planes cut it. */
  lines: readonly [Vector, Vector];
  /** By how much it is turned away from the patient's plane; 0: it is straight. */
  lean_degrees: number;
}

/** What a pane shows, in CSS pixels. */
export interface PaneView extends Axes {
  centre_mm: Vector;
  mm_per_pixel: number;
  width: number;
  height: number;
}

export interface Room {
  width: number;
  height: number;
}

/** As radiologists look at it: from the feet, from the front, from the left. */
function straightAxes(plane: Plane, grid: Grid): Axes {
  const [left, back, head] = rowsOf(null);
  const feet = scale(head, -1);
  if (plane === "coronal") return made(left, feet, back);
  if (plane === "sagittal") return made(back, feet, left);
  // The oblique plane is that of the images themselves.
  if (plane === "oblique") return made(axis(grid, 0), axis(grid, 1), axis(grid, 2));
  return made(left, back, feet);
}

function made(right: Vector, down: Vector, onward: Vector): Axes {
  return { right, down, normal: cross(right, down), onward, upright: [right, down], lines: [right, down], lean_degrees: 0 };
}

/** A difference that is none, in degrees. */
const NO_LEAN = 1e-6;

/** A turned plane is tilted and not rolled: the picture stays upright as long as its plane is the same. */
export function axesOf(plane: Plane, turn: readonly number[] | null, grid: Grid): Axes {
  const straight = straightAxes(plane, grid);
  if (!turn || plane === "oblique") return straight;
  const [left, back, head] = rowsOf(turn);
  const onward = plane === "coronal" ? back : plane === "sagittal" ? left : scale(head, -1);
  const lines: Axes["lines"] = plane === "coronal" ? [left, head] : plane === "sagittal" ? [back, head] : [left, back];
  const lean_degrees = angleBetween(straight.onward, onward);
  if (lean_degrees < NO_LEAN) return { ...straight, lines };
  const right = carried(straight.right, straight.onward, onward, straight.down);
  const down = carried(straight.down, straight.onward, onward, straight.down);
  return { right, down, normal: cross(right, down), onward, upright: straight.upright, lines, lean_degrees };
}

const MARGIN = 1.02;

/** All of the grid at zoom 1, its middle in the pane's middle; `pan` is in mm to the right and down. */
export function viewOfPane(
  grid: Grid,
  axes: Axes,
  room: Room,
  at_mm: Vector,
  zoom = 1,
  pan: readonly [number, number] = [0, 0],
): PaneView {
  const across = (2 * halfExtent(grid, axes.upright[0])) / Math.max(1, room.width);
  const down = (2 * halfExtent(grid, axes.upright[1])) / Math.max(1, room.height);
  const middle = centreOf(grid);
  const depth = dot(subtract(at_mm, middle), axes.normal);
  const centre = add(along(middle, axes.normal, depth), add(scale(axes.right, pan[0]), scale(axes.down, pan[1])));
  return { ...axes, ...room, centre_mm: centre, mm_per_pixel: (Math.max(across, down) * MARGIN) / zoom };
}

/** The point under a place in the pane. */
export function pointAt(view: PaneView, x: number, y: number): Vector {
  const right = (x - view.width / 2) * view.mm_per_pixel;
  const down = (y - view.height / 2) * view.mm_per_pixel;
  return add(view.centre_mm, add(scale(view.right, right), scale(view.down, down)));
}

/** Where a point is seen; the last number is how far from the plane it lies, in mm. */
export function placeOf(view: PaneView, point: Vector): Vector {
  const from = subtract(point, view.centre_mm);
  return [
    view.width / 2 + dot(from, view.right) / view.mm_per_pixel,
    view.height / 2 + dot(from, view.down) / view.mm_per_pixel,
    dot(from, view.normal),
  ];
}

/** The plane of a picture of `columns` x `rows` pixels over the whole pane. */
export function pixelPlane(view: PaneView, columns: number, rows: number): PixelPlane {
  const wide = view.width / columns;
  const tall = view.height / rows;
  return {
    first_mm: pointAt(view, wide / 2, tall / 2),
    across_mm: scale(view.right, wide * view.mm_per_pixel),
    down_mm: scale(view.down, tall * view.mm_per_pixel),
    normal: view.normal,
  };
}

const LETTERS: readonly [string, string][] = [["L", "R"], ["P", "A"], ["H", "F"]]; // prettier-ignore
/** A direction that leans by less than this (sine) has the one letter. */
const LEANS = 0.26;

/** Towards which side of the patient: "L", "HA"; the greatest part first (PS3.3 section C.7.6.1.1.1). */
export function letterOf(direction: Vector): string {
  const of = unit(direction);
  return [0, 1, 2]
    .filter((which) => Math.abs(at(of, which)) > LEANS)
    .sort((a, b) => Math.abs(at(of, b)) - Math.abs(at(of, a)))
    .map((which) => LETTERS[which]?.[at(of, which) > 0 ? 0 : 1] ?? "")
    .join("");
}

export const opposite = (direction: Vector): Vector => scale(direction, -1);

/** The plane's place along the patient's axis that it is closest to: "H 123.5 mm". */
export function positionWords(view: Axes, point: Vector): string {
  const parts = view.normal.map(Math.abs);
  const which = parts.indexOf(Math.max(...parts));
  const [positive, negative] = LETTERS[which] ?? ["", ""];
  const value = at(point, which);
  const words = `${Math.abs(value).toFixed(1)} mm`;
  return words === "0.0 mm" ? words : `${value > 0 ? positive : negative} ${words}`;
}

const BARS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const WIDEST = 0.3;

/** The longest round length that takes less than a third of the pane. */
export function scaleBar(view: PaneView): { mm: number; pixels: number } {
  const most = WIDEST * view.width * view.mm_per_pixel;
  const mm = BARS.filter((each) => each <= most).at(-1) ?? 1;
  return { mm, pixels: mm / view.mm_per_pixel };
}
