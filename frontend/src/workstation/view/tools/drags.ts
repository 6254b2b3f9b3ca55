/** What a drag does, tool by tool: places in CSS pixels of the pane in, changes of the workspace out. */
import { notifications } from "@mantine/notifications";

import type { KeptLine, SeriesDisplay, Vector } from "../../../api/workstation";
import { useWorkspace } from "../../model/store";
import type { Tool } from "../../model/state";
import { distance, dot, subtract, unit } from "../engine/vectors";
import { pointAt, type PaneView } from "../planes";
import { viewKey, type PaneSpec, type Shown } from "../scenes";
import { lookAt } from "../useDrawnPane";
import { useRegistering } from "../../registering/store";
import { handDrag, pairDrag, partDrag } from "../../registering/tools";
import { brushDrag } from "./brush";
import { contourDrag } from "./contour";
import { clickRegion, roundDrag } from "./regions";
import { setSketch, useSketch } from "./sketch";

export interface Pane {
  spec: PaneSpec;
  shown: Shown;
  /** Where it looked when the drag began. */
  view: PaneView;
}

export interface Place {
  x: number;
  y: number;
}

export interface Drag {
  move: (to: Place) => void;
  /** `isClick`: the pointer did not move. */
  end: (to: Place, isClick: boolean) => void;
  cancel?: () => void;
}

const at = (pane: Pane, { x, y }: Place): Vector => pointAt(pane.view, x, y);
const nothing = (): void => undefined;

/** One step of zooming, wherever it comes from. */
export function zoomBy(pane: Pane, factor: number, from: number): void {
  const MOST = 40;
  useWorkspace.getState().setZoom(viewKey(pane.spec, pane.shown), Math.min(MOST, Math.max(0.2, from * factor)));
}

export function zoomOf(pane: Pane): number {
  return useWorkspace.getState().doc.zoom[viewKey(pane.spec, pane.shown)] ?? 1;
}

function panOf(pane: Pane): [number, number] {
  return useWorkspace.getState().doc.pan[viewKey(pane.spec, pane.shown)] ?? [0, 0];
}

export function panDrag(pane: Pane, from: Place): Drag {
  const [right, down] = panOf(pane);
  const { mm_per_pixel } = pane.view;
  const move = ({ x, y }: Place) => {
    useWorkspace
      .getState()
      .setPan(viewKey(pane.spec, pane.shown), [right - (x - from.x) * mm_per_pixel, down - (y - from.y) * mm_per_pixel]);
  };
  return { move, end: nothing };
}

export function zoomDrag(pane: Pane, from: Place): Drag {
  const PIXELS = 150;
  const zoom = zoomOf(pane);
  return { move: ({ y }) => { zoomBy(pane, Math.exp((from.y - y) / PIXELS), zoom); }, end: nothing };
}

/** Without moving, a click looks at the place. */
function looking(pane: Pane, drag: Drag): Drag {
  return {
    ...drag,
    end: (to, isClick) => {
      if (isClick) lookAt(pane.shown, at(pane, to));
      else drag.end(to, isClick);
    },
  };
}

/** Of a window that begins at 0 only the upper end moves: SUV has no other. */
export function windowMoved(from: SeriesDisplay, right: number, down: number): { low: number; high: number } {
  const PIXELS = 250;
  const width = from.high - from.low;
  if (from.low === 0) return { low: 0, high: from.high * Math.exp((down - right) / PIXELS) };
  const next = width * Math.exp(right / PIXELS);
  const centre = (from.low + from.high) / 2 + (down * width) / PIXELS;
  return { low: centre - next / 2, high: centre + next / 2 };
}

function windowDrag(pane: Pane, from: Place, isOther: boolean): Drag {
  const { below, above } = pane.shown;
  const state = useWorkspace.getState();
  // What is seen more of is what is meant; with Shift, the other one.
  const isUpper = above !== null && state.doc.mode === "overlay";
  const facts = above && isUpper !== isOther ? above : below;
  const display = facts && state.doc.display[facts.SeriesInstanceUID];
  if (!display) return { move: nothing, end: nothing };
  const move = ({ x, y }: Place) => {
    const { low, high } = windowMoved(display, x - from.x, y - from.y);
    useWorkspace.getState().setWindow(facts.SeriesInstanceUID, low, high);
  };
  return { move, end: nothing };
}

function crosshairDrag(pane: Pane): Drag {
  const move = (to: Place) => { lookAt(pane.shown, at(pane, to)); };
  return { move, end: move };
}

function lineOf(pane: Pane, kind: KeptLine["kind"], points_mm: Vector[]): Omit<KeptLine, "id"> {
  const [first, corner, last] = points_mm;
  // Its points lie in the frame of the pane, whatever is shown there.
  const series = pane.shown.anchor.SeriesInstanceUID;
  const line = { kind, points_mm, series, text: "", value: null, unit: "" };
  if (kind === "length" && first && corner) return { ...line, value: distance(first, corner), unit: "mm" };
  if (kind === "angle" && first && corner && last) return { ...line, value: angleOf(first, corner, last), unit: "°" };
  return line;
}

export function angleOf(first: Vector, corner: Vector, last: Vector): number {
  const cosine = dot(unit(subtract(first, corner)), unit(subtract(last, corner)));
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}

function lineDrag(pane: Pane, kind: "length" | "arrow", from: Place): Drag {
  const made = (to: Place) => lineOf(pane, kind, [at(pane, from), at(pane, to)]);
  return {
    move: (to) => { setSketch({ pane: pane.spec.pane, kind: "line", line: made(to) }); },
    end: (to, isClick) => {
      setSketch(null);
      if (!isClick) useWorkspace.getState().addLine(made(to));
    },
    cancel: () => { setSketch(null); },
  };
}

/** The first drag is one leg, from its end to the corner; the next press is the end of the other one. */
function angleDrag(pane: Pane, from: Place): Drag {
  const { sketch } = useSketch.getState();
  const begun = sketch?.kind === "line" && sketch.pane === pane.spec.pane ? sketch.line.points_mm.slice(0, 2) : [];
  const legs = (to: Place): Vector[] => (begun.length === 2 ? [...begun, at(pane, to)] : [at(pane, from), at(pane, to)]);
  const show = (to: Place) => { setSketch({ pane: pane.spec.pane, kind: "line", line: lineOf(pane, "angle", legs(to)) }); };
  return {
    move: show,
    end: (to, isClick) => {
      if (begun.length === 2) {
        setSketch(null);
        useWorkspace.getState().addLine(lineOf(pane, "angle", legs(to)));
      } else if (isClick) setSketch(null);
      else show(to);
    },
    cancel: () => { setSketch(null); },
  };
}

type Start = (pane: Pane, from: Place, isOther: boolean) => Drag;

const STARTS: Record<Tool, Start> = {
  window: (pane, from, isOther) => looking(pane, windowDrag(pane, from, isOther)),
  crosshair: crosshairDrag,
  pan: (pane, from) => looking(pane, panDrag(pane, from)),
  zoom: (pane, from) => looking(pane, zoomDrag(pane, from)),
  length: (pane, from) => lineDrag(pane, "length", from),
  arrow: (pane, from) => lineDrag(pane, "arrow", from),
  angle: angleDrag,
  sphere: (pane, from) => roundDrag(pane, from, "sphere"),
  ellipse: (pane, from) => roundDrag(pane, from, "ellipse"),
  threshold: (pane) => clickRegion(pane, "threshold"),
  grow: (pane) => clickRegion(pane, "grow"),
  brush: (pane, from) => brushDrag(pane, from, true),
  eraser: (pane, from) => brushDrag(pane, from, false),
  contour: contourDrag,
  pair: pairDrag,
  hand: handDrag,
  part: partDrag,
};

const NEEDS_THE_BASE: readonly Tool[] = ["length", "arrow", "angle", "sphere", "ellipse", "threshold", "grow", "brush", "eraser", "contour", "hand", "part"];

const BY_VOXELS: Partial<Record<Tool, string>> = {
  brush: "The brush paints the voxels of a slice: make all planes straight (U), or let it paint a ball.",
  eraser: "The eraser takes the voxels of a slice: make all planes straight (U), or let it take a ball.",
  contour: "Contours are drawn on slices: make all planes straight (U) first.",
  part: "A box lies along the voxels: make all planes straight (U) first, or compare a ball.",
};

/** Why a tool that goes by voxels does nothing in a turned plane; "" where it works. */
export function refusalIn({ lean_degrees }: Pick<PaneView, "lean_degrees">, tool: Tool): string {
  if (lean_degrees === 0) return "";
  const isBall = tool === "part" ? useRegistering.getState().part !== "box" : useWorkspace.getState().options.brush_is_ball;
  return tool !== "contour" && isBall ? "" : (BY_VOXELS[tool] ?? "");
}

/** Begin the tool's drag. What is measured is kept in the base's frame: a pane of another frame is only looked at. */
export function startDrag(pane: Pane, tool: Tool, from: Place, isOther: boolean): Drag {
  if (pane.shown.isAlone && NEEDS_THE_BASE.includes(tool)) return crosshairDrag(pane);
  const refusal = refusalIn(pane.view, tool);
  if (refusal) {
    notifications.show({ id: "turned", message: refusal, autoClose: 8000 });
    return { move: nothing, end: nothing };
  }
  return STARTS[tool](pane, from, isOther);
}
