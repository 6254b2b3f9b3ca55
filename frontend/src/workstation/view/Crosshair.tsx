import { useRef, type KeyboardEvent, type PointerEvent } from "react";

import type { Vector } from "../../api/workstation";
import { LAYOUTS, layoutOf } from "../model/layouts";
import { useWorkspace } from "../model/store";
import { dot } from "./engine/vectors";
import { placeOf, type PaneView } from "./planes";
import { cursorNow, type Shown } from "./scenes";
import { turnedBy } from "./turning";
import styles from "./view.module.css";

/** Half of the gap in the middle: what one looks at is not covered. */
const GAP = 14;
/** From the pane's edge, where its letters stand. */
const INSET = 40;
/** Nearer to the middle a handle would be in the way. */
const NEAREST = 50;
/** With Shift, in degrees. */
const STEP = 5;
/** Clockwise on the screen is positive, as `turnedBy` about the normal. */
const KEYS: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

type Place = readonly [x: number, y: number];

/** From where to where a line through a place lies in the pane, in pixels along it; null: nowhere. */
export function spanIn({ width, height }: Pick<PaneView, "width" | "height">, [x, y]: Place, [dx, dy]: Place): [number, number] | null {
  let [from, to] = [-Infinity, Infinity];
  for (const [at, by, most] of [[x, dx, width], [y, dy, height]] as const) {
    if (Math.abs(by) < 1e-9) {
      if (at < 0 || at > most) return null;
      continue;
    }
    const ends = [-at / by, (most - at) / by];
    from = Math.max(from, Math.min(...ends));
    to = Math.min(to, Math.max(...ends));
  }
  return from < to ? [from, to] : null;
}

/** Whether planes can be seen that a handle would turn. */
function hasOthers({ doc, maximised }: ReturnType<typeof useWorkspace.getState>): boolean {
  const planes = LAYOUTS[layoutOf(doc.layout)].panes.map(({ shows }) => shows).filter((shows) => shows !== "mip");
  return maximised === null && new Set(planes).size > 1;
}

/** Where the linked panes look, and how they cut each other; a drag of an end turns the two others. */
export function Crosshair({ shown, view }: { shown: Shown; view: PaneView }) {
  const isShown = useWorkspace((state) => state.is_crosshair_shown);
  const cursor = useWorkspace((state) => state.doc.cursor_mm);
  const isTurnable = useWorkspace(hasOthers) && !shown.isAlone;
  if (!isShown || (!cursor && !shown.isAlone)) return null;
  const [x, y] = placeOf(view, cursorNow(shown));
  const lines = view.lines.map((way): Place => [dot(way, view.right), dot(way, view.down)]);
  return (
    <svg className={styles.over}>
      {lines.map((way, which) => <Line key={which} view={view} middle={[x, y]} way={way} which={which} isTurnable={isTurnable} />)}
    </svg>
  );
}

/** By how much a line is turned from lying (0) or standing (1), in degrees from -90 to 90, clockwise. */
export function slantOf([dx, dy]: Place, which: number): number {
  const degrees = (Math.atan2(dy, dx) * 180) / Math.PI - (which ? 90 : 0);
  return Math.round(10 * (degrees - 180 * Math.round(degrees / 180))) / 10 + 0;
}

interface LineProps {
  view: PaneView;
  middle: Place;
  way: Place;
  which: number;
  isTurnable: boolean;
}

function Line({ view, middle: [x, y], way: [dx, dy], which, isTurnable }: LineProps) {
  const span = spanIn(view, [x, y], [dx, dy]);
  if (!span) return null;
  const [from, to] = span;
  const at = (along: number): Place => [x + along * dx, y + along * dy];
  const parts = [[from, Math.min(to, -GAP)], [Math.max(from, GAP), to]] as const;
  const path = parts.filter(([start, end]) => start < end).map(([start, end]) => `M${at(start).join(" ")}L${at(end).join(" ")}`).join("");
  const ends = [from + INSET, to - INSET].filter((along, end) => (end ? along : -along) > NEAREST);
  const isSlanting = Math.abs(dx * dy) > 1e-9;
  return (
    <>
      <path className={styles.cross} d={path} aria-hidden style={isSlanting ? { shapeRendering: "auto" } : undefined} />
      {isTurnable && ends.map((along, end) => (
        <Handle
          key={along < 0 ? "first" : "last"} view={view} middle={[x, y]} place={at(along)}
          slant={slantOf([dx, dy], which)} name={which ? "standing" : "lying"} isFirst={end === 0}
        />
      ))}
    </>
  );
}

interface Grip {
  /** Of the pointer about the crosshair, as it was taken hold of, in degrees. */
  from: number;
  turn: number[] | null;
  about: Vector;
}

interface HandleProps {
  view: PaneView;
  middle: Place;
  place: Place;
  slant: number;
  name: string;
  /** Both ends of a line do the same: the keyboard needs one. */
  isFirst: boolean;
}

/** A knob on a line: dragged about the crosshair, or by the arrow keys, it turns the other two planes; with Shift by whole steps. */
function Handle({ view, middle: [x, y], place, slant, name, isFirst }: HandleProps) {
  const grip = useRef<Grip | null>(null);
  const angle = (event: PointerEvent<SVGElement>): number => {
    const box = event.currentTarget.ownerSVGElement?.getBoundingClientRect();
    return (Math.atan2(event.clientY - (box?.top ?? 0) - y, event.clientX - (box?.left ?? 0) - x) * 180) / Math.PI;
  };
  const stop = (event: PointerEvent<SVGElement>) => {
    event.stopPropagation();
    grip.current = null;
  };
  return (
    <g
      className={styles.handle}
      {...(isFirst && {
        role: "slider", tabIndex: 0, "aria-label": `Turn the other two planes: the ${name} line`,
        "aria-valuenow": slant, "aria-valuemin": -90, "aria-valuemax": 90, "aria-valuetext": `${String(slant)}°`,
      })}
      aria-hidden={isFirst ? undefined : true}
      onKeyDown={(event: KeyboardEvent<SVGElement>) => {
        const way = KEYS[event.key];
        if (!way) return;
        event.preventDefault();
        event.stopPropagation();
        const { doc, setPlaneTurn } = useWorkspace.getState();
        setPlaneTurn(turnedBy(doc.plane_turn, view.normal, way * (event.shiftKey ? STEP : 1)));
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        grip.current = { from: angle(event), turn: useWorkspace.getState().doc.plane_turn, about: view.normal };
      }}
      onPointerMove={(event) => {
        const held = grip.current;
        if (!held) return;
        event.stopPropagation();
        // Right and down span the plane, the normal is their cross product: clockwise on the screen is positive.
        const degrees = angle(event) - held.from;
        useWorkspace.getState().setPlaneTurn(turnedBy(held.turn, held.about, event.shiftKey ? Math.round(degrees / STEP) * STEP : degrees));
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
      onDoubleClick={(event) => { event.stopPropagation(); }}
    >
      <circle className={styles.grip} cx={place[0]} cy={place[1]} r={12} />
      <circle className={styles.knob} cx={place[0]} cy={place[1]} r={5} />
    </g>
  );
}
