/** Pointer, wheel, touch and keys of a pane. */
import { useEffect, useMemo, useState, type KeyboardEvent, type PointerEvent, type RefObject } from "react";

import { useWorkspace } from "../../model/store";
import { pointAt, type PaneView } from "../planes";
import type { PaneSpec, Shown } from "../scenes";
import { closeCurve, dropPoint } from "./contour";
import { panDrag, startDrag, zoomBy, zoomDrag, zoomOf, type Drag, type Pane, type Place } from "./drags";
import { scroll, slicesOf, wheelSteps } from "./scrolling";
import { setSketch, useSketch } from "./sketch";

/** A pointer that moved by less than this many pixels has clicked. */
const STILL = 4;

interface Running {
  drag: Drag;
  from: Place;
  hasMoved: boolean;
}

interface Pinch {
  pan: Drag;
  span: number;
  zoom: number;
  middle: Place;
}

function placeIn(event: { clientX: number; clientY: number }, element: Element): Place {
  const { left, top } = element.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

class Gestures {
  #pane: Pane | null = null;
  #running: Running | null = null;
  #pinch: Pinch | null = null;
  readonly #touches = new Map<number, Place>();

  get pane(): Pane | null {
    return this.#pane;
  }

  /** What the pane shows now. */
  know(pane: Pane | null): void {
    this.#pane = pane;
  }

  down(event: PointerEvent<HTMLElement>): void {
    const { pane } = this;
    if (!pane) return;
    const from = placeIn(event, event.currentTarget);
    event.currentTarget.focus({ preventScroll: true });
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      this.#touches.set(event.pointerId, from);
      if (this.#touches.size === 2) {
        this.#startPinch(pane);
        return;
      }
    }
    this.#running?.drag.cancel?.();
    this.#running = { drag: this.#start(pane, event, from), from, hasMoved: false };
  }

  move(event: PointerEvent<HTMLElement>): void {
    const to = placeIn(event, event.currentTarget);
    if (this.#touches.has(event.pointerId)) this.#touches.set(event.pointerId, to);
    if (this.#pinch && this.pane) {
      this.#movePinch(this.pane, this.#pinch);
      return;
    }
    const running = this.#running;
    if (!running) {
      this.#hover(to);
      return;
    }
    running.hasMoved ||= Math.hypot(to.x - running.from.x, to.y - running.from.y) >= STILL;
    if (running.hasMoved) running.drag.move(to);
  }

  up(event: PointerEvent<HTMLElement>): void {
    this.#touches.delete(event.pointerId);
    if (this.#pinch) {
      // The finger that is left does nothing: it was put down to zoom.
      if (this.#touches.size === 0) this.#pinch = null;
      return;
    }
    const running = this.#running;
    this.#running = null;
    if (!running) return;
    if (event.type === "pointercancel") running.drag.cancel?.();
    else running.drag.end(placeIn(event, event.currentTarget), !running.hasMoved);
  }

  leave(): void {
    const { hover, setHover } = useWorkspace.getState();
    if (hover?.pane === this.pane?.spec.pane) setHover(null);
  }

  #start(pane: Pane, event: PointerEvent<HTMLElement>, from: Place): Drag {
    if (event.button === 1) return panDrag(pane, from);
    if (event.button === 2) return zoomDrag(pane, from);
    return startDrag(pane, useWorkspace.getState().tool, from, event.shiftKey);
  }

  #hover(to: Place): void {
    const { pane } = this;
    if (!pane || pane.shown.isAlone) return;
    useWorkspace.getState().setHover({ pane: pane.spec.pane, point_mm: pointAt(pane.view, to.x, to.y) });
  }

  #fingers(): { middle: Place; span: number } {
    const [one, other] = [...this.#touches.values()];
    if (!one || !other) return { middle: { x: 0, y: 0 }, span: 1 };
    return {
      middle: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
      span: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
    };
  }

  #startPinch(pane: Pane): void {
    this.#running?.drag.cancel?.();
    this.#running = null;
    const { middle, span } = this.#fingers();
    this.#pinch = { pan: panDrag(pane, middle), span, zoom: zoomOf(pane), middle };
  }

  #movePinch(pane: Pane, { pan, span, zoom }: Pinch): void {
    const now = this.#fingers();
    zoomBy(pane, now.span / span, zoom);
    pan.move(now.middle);
  }
}

/** One step of the wheel: a tenth, at least half a millimetre. */
function resizeBrush(delta: number): void {
  const { options, setOption } = useWorkspace.getState();
  const step = Math.max(0.5, Math.round(options.brush_mm / 5) / 2);
  setOption({ brush_mm: Math.min(200, Math.max(1, options.brush_mm - Math.sign(delta) * step)) });
}

function maximise(pane: string): void {
  const { maximised, maximise: fill } = useWorkspace.getState();
  fill(maximised === pane ? null : pane);
}

/** Enter closes a curve that is being clicked, Backspace takes its last point back, Escape all of them. */
function isForCurve(key: string, pane: Pane): boolean {
  if (key === "Enter") return closeCurve(pane);
  if (key === "Backspace") return dropPoint(pane);
  if (key !== "Escape" || useSketch.getState().sketch === null) return false;
  setSketch(null);
  return true;
}

/** The handlers of a pane's box. */
export function usePaneTools(box: RefObject<HTMLElement | null>, spec: PaneSpec, shown: Shown | null, view: PaneView | null) {
  const [all] = useState(() => new Gestures());
  useEffect(() => { all.know(shown && view ? { spec, shown, view } : null); }, [all, spec, shown, view]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let rest = 0;
    // Not through React: its listener could not keep the page from scrolling.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const { pane } = all;
      if (!pane) return;
      const turned = wheelSteps(rest, event);
      rest = turned.rest;
      if (event.altKey) resizeBrush(event.deltaY || event.deltaX);
      else if (event.ctrlKey) zoomBy(pane, Math.exp(-event.deltaY / 400), zoomOf(pane));
      else if (turned.steps) scroll(pane.shown, pane.view, turned.steps);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => { element.removeEventListener("wheel", wheel); };
  }, [box, all]);

  return useMemo(
    () => ({
      onPointerDown: (event: PointerEvent<HTMLElement>) => { all.down(event); },
      onPointerMove: (event: PointerEvent<HTMLElement>) => { all.move(event); },
      onPointerUp: (event: PointerEvent<HTMLElement>) => { all.up(event); },
      onPointerCancel: (event: PointerEvent<HTMLElement>) => { all.up(event); },
      onPointerLeave: () => { all.leave(); },
      onDoubleClick: () => {
        // The last point of a curve.
        if (useWorkspace.getState().tool !== "contour") maximise(spec.pane);
        else if (all.pane) closeCurve(all.pane);
      },
      onContextMenu: (event: { preventDefault: () => void }) => { event.preventDefault(); },
      onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
        if (!all.pane) return;
        if (isForCurve(event.key, all.pane)) {
          event.preventDefault();
          event.stopPropagation();
          return;
        }
        const count = slicesOf(event.key);
        if (!count) return;
        event.preventDefault();
        scroll(all.pane.shown, all.pane.view, count);
      },
    }),
    [all, spec],
  );
}
