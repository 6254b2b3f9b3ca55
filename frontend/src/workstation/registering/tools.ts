/** What a drag does while the overlay is being registered. */
import { useWorkspace } from "../model/store";
import { add, distance, dot, scale, subtract } from "../view/engine/vectors";
import { pointAt, placeOf } from "../view/planes";
import { lookAt } from "../view/useDrawnPane";
import { setSketch } from "../view/tools/sketch";
import type { Drag, Pane, Place } from "../view/tools/drags";
import { boxOf, isBox } from "./part";
import { clickPoint, moveByHand } from "./placing";
import { useRegistering } from "./store";

const nothing = (): void => undefined;

/** Which of the two images a pane's points belong to; null: neither. */
export function sideOf({ shown, spec }: Pick<Pane, "shown" | "spec">): "fixed" | "moving" | null {
  const { doc } = useWorkspace.getState();
  if (shown.isAlone) return shown.anchor.SeriesInstanceUID === doc.overlay?.series ? "moving" : null;
  return spec.role === "fused" || spec.role === "base" ? "fixed" : null;
}

export function pairDrag(pane: Pane): Drag {
  return {
    move: nothing,
    end: (to, isClick) => {
      const side = sideOf(pane);
      const point = pointAt(pane.view, to.x, to.y);
      if (side && isClick) clickPoint(side, point);
      lookAt(pane.shown, point);
    },
  };
}

const DEGREES = 180 / Math.PI;

/** Shifts in the plane; with Shift turns about where the middle of the moving images is. */
export function handDrag(pane: Pane, from: Place, isTurning: boolean): Drag {
  let last = from;
  const move = (to: Place) => {
    const { hand } = useRegistering.getState();
    if (!hand || sideOf(pane) !== "fixed") return;
    const { view } = pane;
    if (isTurning) {
      const [x, y] = placeOf(view, [0, 1, 2].map((axis) => (hand.centre_mm[axis] ?? 0) + (hand.shift_mm[axis] ?? 0)) as [number, number, number]);
      const angle = (place: Place) => Math.atan2(place.y - y, place.x - x);
      const turned = angle(to) - angle(last);
      const nearest = Math.atan2(Math.sin(turned), Math.cos(turned));
      // Right and down span the plane, the normal is their cross product: clockwise on the screen is positive.
      moveByHand([0, 0, 0], { about: view.normal, degrees: nearest * DEGREES });
    } else moveByHand(subtract(pointAt(view, to.x, to.y), pointAt(view, last.x, last.y)));
    last = to;
  };
  return { move, end: nothing };
}

/** What is compared: a ball from its middle outwards, a box from corner to corner. */
export function partDrag(pane: Pane, from: Place): Drag {
  return useRegistering.getState().part === "box" ? boxDrag(pane, from) : ballDrag(pane, from);
}

/** It was drawn: the left button does again what the method needs. */
function drawn(region: ReturnType<typeof useRegistering.getState>["region"]): void {
  const { method } = useRegistering.getState();
  useRegistering.setState({ region });
  useWorkspace.getState().setTool(method === "manual" ? "hand" : method === "click" ? "pair" : "crosshair");
}

function boxDrag(pane: Pane, from: Place): Drag {
  const { view, shown, spec } = pane;
  const first = pointAt(view, from.x, from.y);
  const corners = (to: Place) => {
    const last = pointAt(view, to.x, to.y);
    const right = scale(view.right, dot(subtract(last, first), view.right));
    return [first, add(first, right), last, subtract(last, right), first];
  };
  return {
    move: (to) => { setSketch({ pane: spec.pane, kind: "contour", points_mm: corners(to) }); },
    end: (to, isClick) => {
      setSketch(null);
      if (isClick || sideOf(pane) !== "fixed") return;
      const { region } = useRegistering.getState();
      const rectangle = { from: first, to: pointAt(view, to.x, to.y), normal: view.normal };
      drawn(boxOf(shown.anchor, rectangle, region && isBox(region) ? region : null));
    },
    cancel: () => { setSketch(null); },
  };
}

function ballDrag(pane: Pane, from: Place): Drag {
  const centre = pointAt(pane.view, from.x, from.y);
  const radius = (to: Place) => distance(pointAt(pane.view, to.x, to.y), centre);
  return {
    move: (to) => { setSketch({ pane: pane.spec.pane, kind: "round", centre_mm: centre, radii_mm: [radius(to), radius(to)] }); },
    end: (to, isClick) => {
      setSketch(null);
      if (isClick || sideOf(pane) !== "fixed") return;
      drawn({ centre, radius_mm: radius(to) });
    },
    cancel: () => { setSketch(null); },
  };
}
