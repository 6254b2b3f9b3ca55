/** Tools that ask the service for a region. */
import { notifications } from "@mantine/notifications";

import { readValues } from "../../../api/volumes";
import type { Rule, Vector, Within } from "../../../api/workstation";
import { failed } from "../../../ui/undoable";
import { thresholdRule } from "../../delineating/threshold";
import { makeRegion, measuredView } from "../../model/making";
import { useWorkspace } from "../../model/store";
import { distance, dot, subtract } from "../engine/vectors";
import { pointAt } from "../planes";
import type { Drag, Pane, Place } from "./drags";
import { setSketch } from "./sketch";

const at = (pane: Pane, { x, y }: Place): Vector => pointAt(pane.view, x, y);

/** In a pane of one series, that one is measured. */
export function seriesOf(pane: Pane): string | undefined {
  return pane.shown.above ? undefined : pane.shown.below?.SeriesInstanceUID;
}

function make(pane: Pane, rule: Rule): void {
  void makeRegion(rule, { series: seriesOf(pane) });
}

/** A click takes the size of the options; a drag from the middle outwards its own. */
export function roundDrag(pane: Pane, from: Place, kind: "sphere" | "ellipse"): Drag {
  const centre_mm = at(pane, from);
  const radii = (to: Place): [number, number] => {
    const away = subtract(at(pane, to), centre_mm);
    const whole = distance(at(pane, to), centre_mm);
    return kind === "sphere" ? [whole, whole] : [Math.abs(dot(away, pane.view.right)), Math.abs(dot(away, pane.view.down))];
  };
  return {
    move: (to) => { setSketch({ pane: pane.spec.pane, kind: "round", centre_mm, radii_mm: radii(to) }); },
    end: (to, isClick) => {
      setSketch(null);
      const half = useWorkspace.getState().options.sphere_mm / 2;
      const radii_mm: [number, number] = isClick ? [half, half] : radii(to);
      const { right, down } = pane.view;
      if (kind === "sphere") make(pane, { kind, centre_mm, diameter_mm: 2 * radii_mm[0] });
      else make(pane, { kind, centre_mm, right, down, radii_mm });
    },
    cancel: () => { setSketch(null); },
  };
}

function withinOf(centre_mm: Vector): Within | null {
  const { within_mm } = useWorkspace.getState().options;
  return within_mm > 0 ? { centre_mm, diameter_mm: within_mm } : null;
}

async function grow(pane: Pane, seed_mm: Vector): Promise<void> {
  const state = useWorkspace.getState();
  const view = measuredView(state, seriesOf(pane));
  if (!view) return;
  try {
    const ask = { base: state.doc.base?.series ?? null, series: [view], points_mm: [seed_mm] };
    const value = (await readValues(ask, state.database))[0]?.values[0] ?? null;
    if (value === null) throw new Error("The click was outside of the images.");
    const half = Math.abs(value) * state.options.grow_tolerance;
    make(pane, { kind: "grow", seed_mm, low: value - half, high: value + half, within: withinOf(seed_mm) });
  } catch (error) {
    failed("No region was made", error);
  }
}

export function clickRegion(pane: Pane, kind: "threshold" | "grow"): Drag {
  return {
    move: () => undefined,
    end: (to) => {
      const seed_mm = at(pane, to);
      if (kind === "grow") {
        void grow(pane, seed_mm);
        return;
      }
      const { options, doc } = useWorkspace.getState();
      const rule = thresholdRule(options, seed_mm, doc.regions);
      if (typeof rule === "string") notifications.show({ message: rule, autoClose: 8000 });
      else make(pane, rule);
    },
  };
}
