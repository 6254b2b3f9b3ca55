import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

const KEY = "radfuse.studies.panel_px";
const DESIGNED_PX = 440;
const LEAST_PX = 340;
const MOST_PX = 900;
const STEP_PX = 24;

function bounded(width_px: number): number {
  return Math.round(Math.min(Math.max(width_px, LEAST_PX), MOST_PX));
}

function remembered(): number {
  try {
    const width = Number(window.localStorage.getItem(KEY));
    return width ? bounded(width) : DESIGNED_PX;
  } catch {
    return DESIGNED_PX;
  }
}

function remember(width_px: number): void {
  try {
    window.localStorage.setItem(KEY, String(width_px));
  } catch {
    // Then it is as designed the next time.
  }
}

/** The width of the panel, and what its left edge needs to change it by pointer and by arrow keys. */
export function usePanelWidth() {
  const [width_px, setWidth] = useState(remembered);
  const from = useRef<{ x_px: number; width_px: number } | null>(null);
  const stop = () => {
    if (from.current) remember(width_px);
    from.current = null;
  };
  const grip = {
    role: "separator",
    tabIndex: 0,
    "aria-orientation": "vertical" as const,
    "aria-label": "Width of the panel",
    "aria-valuenow": width_px,
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      event.preventDefault();
      event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { x_px: event.clientX, width_px };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (from.current) setWidth(bounded(from.current.width_px + from.current.x_px - event.clientX));
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onDoubleClick: () => {
      setWidth(DESIGNED_PX);
      remember(DESIGNED_PX);
    },
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      const by = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      setWidth(bounded(width_px + by));
      remember(bounded(width_px + by));
    },
  };
  return { width_px, grip };
}
