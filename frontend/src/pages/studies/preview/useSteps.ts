import { useEffect, useRef, type RefObject } from "react";

/** A turn of the wheel that moves by one: a notch of a mouse is about 100, a touch pad sends many small ones. */
const TURN = 60;

/** Steps from where one is, or is on the way to: several may come before the first is drawn. */
export function useSteps(now: number, goTo: (to: number) => number): (by: number) => void {
  const target = useRef(now);
  useEffect(() => {
    target.current = now;
  }, [now]);
  return (by) => {
    // What lies beyond the ends is not on the way.
    target.current = goTo(target.current + by);
  };
}

/** The wheel over the stage, as steps. */
export function useWheel(stage: RefObject<HTMLElement | null>, onStep: (by: number) => void): void {
  const latest = useRef(onStep);
  useEffect(() => {
    latest.current = onStep;
  });
  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    let turned = 0;
    const onWheel = (event: WheelEvent) => {
      if (event.ctrlKey) return;
      event.preventDefault();
      turned += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 33 : event.deltaY;
      const steps = Math.trunc(turned / TURN);
      if (steps === 0) return;
      turned = 0;
      latest.current(Math.sign(steps) * Math.min(Math.abs(steps), 3));
    };
    // React's own listener could not keep the page from scrolling.
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => { element.removeEventListener("wheel", onWheel); };
  }, [stage]);
}

/** Calls `onTick` at a rate while it plays; a tick waits for the last picture, so a slow line plays slower. */
export function useCine(isPlaying: boolean, frames_per_s: number, isReady: boolean, onTick: () => void): void {
  const latest = useRef({ onTick, isReady });
  useEffect(() => {
    latest.current = { onTick, isReady };
  });
  useEffect(() => {
    if (!isPlaying) return undefined;
    const timer = window.setInterval(() => {
      if (latest.current.isReady) latest.current.onTick();
    }, 1000 / frames_per_s);
    return () => { window.clearInterval(timer); };
  }, [isPlaying, frames_per_s]);
}
