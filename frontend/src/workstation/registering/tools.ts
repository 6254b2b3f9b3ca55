/** What a drag does while the overlay is being registered. */
import { useWorkspace } from "../model/store";
import { distance, scale, subtract } from "../view/engine/vectors";
import { pointAt, placeOf } from "../view/planes";
import { lookAt } from "../view/useDrawnPane";
import { setSketch } from "../view/tools/sketch";
import type { Drag, Pane, Place } from "../view/tools/drags";
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

/** A ball from its middle outwards: only what lies in it is compared. */
export function partDrag(pane: Pane, from: Place): Drag {
  const centre = pointAt(pane.view, from.x, from.y);
  const radius = (to: Place) => distance(pointAt(pane.view, to.x, to.y), centre);
  return {
    move: (to) => { setSketch({ pane: pane.spec.pane, kind: "round", centre_mm: centre, radii_mm: [radius(to), radius(to)] }); },
    end: (to, isClick) => {
      setSketch(null);
      if (isClick || sideOf(pane) !== "fixed") return;
      useRegistering.setState({ region: { centre: scale(centre, 1), radius_mm: radius(to) } });
      useWorkspace.getState().setTool(useRegistering.getState().method === "manual" ? "hand" : "pair");
    },
    cancel: () => { setSketch(null); },
  };
}
