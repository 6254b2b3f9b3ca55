import { useEffect, useRef, useState, type PointerEvent, type RefObject } from "react";

import { dragged, type Window } from "./windows";
import { WHOLE, panned, zoomed, type Zoom } from "./zoom";

/** A drag of so many pixels makes it twice as large. */
const DOUBLES_PX = 120;
const BUTTONS = ["window", "pan", "zoom"] as const;

interface Drag {
  does: (typeof BUTTONS)[number];
  x: number;
  y: number;
  zoom: Zoom;
  window: Window | null;
}

/**
 * What a pointer does to the picture, as at any workstation: the left button changes the window, the middle one moves
 * it, the right one zooms. Ctrl with the wheel (and so two fingers on a touch pad) zooms as well, a double click shows
 * all of it. `left`: the button as which the left one counts.
 */
export function useStage(
  stage: RefObject<HTMLElement | null>, window: Window | null, onWindow: ((window: Window) => void) | null, left = 0,
) {
  const [zoom, setZoom] = useState(WHOLE);
  const drag = useRef<Drag | null>(null);
  useWheelZoom(stage, setZoom);

  const begin = (event: PointerEvent<HTMLElement>) => {
    const does = BUTTONS[event.button === 0 ? left : event.button];
    if (!does || (does === "window" && !onWindow)) return;
    if (does !== "window") event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { does, x: event.clientX, y: event.clientY, zoom, window };
  };
  const go = (event: PointerEvent<HTMLElement>) => {
    const from = drag.current;
    if (!from) return;
    const [right, down] = [event.clientX - from.x, event.clientY - from.y];
    if (from.does === "window") {
      if (from.window) onWindow?.(dragged(from.window, right, down));
      return;
    }
    const box = event.currentTarget.getBoundingClientRect();
    if (from.does === "pan") setZoom(panned(from.zoom, right, down, box));
    else setZoom(zoomed(from.zoom, 2 ** (-down / DOUBLES_PX), ...middleOf(box, from.x, from.y), box));
  };
  const stop = () => {
    drag.current = null;
  };
  const reset = () => { setZoom(WHOLE); };
  return {
    zoom,
    reset,
    zoomBy: (factor: number) => {
      const box = stage.current?.getBoundingClientRect();
      if (box) setZoom((now) => zoomed(now, factor, 0, 0, box));
    },
    pointer: {
      onPointerDown: begin,
      onPointerMove: go,
      onPointerUp: stop,
      onPointerCancel: stop,
      onDoubleClick: reset,
      // The right button zooms.
      onContextMenu: (event: React.MouseEvent) => { event.preventDefault(); },
    },
  };
}

function useWheelZoom(stage: RefObject<HTMLElement | null>, setZoom: (change: (now: Zoom) => Zoom) => void): void {
  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      // Else the browser would enlarge the page.
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const factor = 2 ** (-Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100) / 250);
      setZoom((now) => zoomed(now, factor, ...middleOf(box, event.clientX, event.clientY), box));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => { element.removeEventListener("wheel", onWheel); };
  }, [stage, setZoom]);
}

/** A point of the page, from the middle of the stage. */
function middleOf(box: DOMRect, x: number, y: number): [number, number] {
  return [x - box.left - box.width / 2, y - box.top - box.height / 2];
}
