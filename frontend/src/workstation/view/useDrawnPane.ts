/** What a pane needs of the page: how large it is, where it looks, and a place in the engine. */
import { useEffect, useLayoutEffect, useMemo, useState, type RefObject } from "react";
import { useShallow } from "zustand/react/shallow";

import type { Vector } from "../../api/workstation";
import { useDoseLook } from "../delineating/dose";
import { useWorkspace } from "../model/store";
import { theEngine } from "./engine/engine";
import type { PaneView, Room } from "./planes";
import { lookOf, shownIn, useOwnCursors, viewOf, type PaneSpec, type Shown } from "./scenes";

/** CSS pixels of a box, as it is now. */
export function useRoom(box: RefObject<HTMLElement | null>): Room {
  const [room, setRoom] = useState<Room>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const { clientWidth: width, clientHeight: height } = element;
      setRoom((now) => (now.width === width && now.height === height ? now : { width, height }));
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => { observer.disconnect(); };
  }, [box]);
  return room;
}

export function useShown(spec: PaneSpec): Shown | null {
  return useWorkspace(useShallow((state) => shownIn(state, spec.role)));
}

/** Where the pane looks; null as long as there is nothing to see. */
export function usePaneView(spec: PaneSpec, shown: Shown | null, room: Room): PaneView | null {
  const { cursor_mm, zoom, pan, plane_turn } = useWorkspace(
    useShallow(({ doc }) => ({ cursor_mm: doc.cursor_mm, zoom: doc.zoom, pan: doc.pan, plane_turn: doc.plane_turn })),
  );
  const own = useOwnCursors((all) => (shown?.isAlone ? all[shown.anchor.SeriesInstanceUID] : undefined));
  return useMemo(() => {
    if (!shown || room.width < 1) return null;
    return viewOf({ cursor_mm, zoom, pan, plane_turn }, own, spec, shown, room);
  }, [spec, shown, room, own, cursor_mm, zoom, pan, plane_turn]);
}

/** Draws the pane whenever what it shows has changed. */
export function useDrawn(canvas: RefObject<HTMLCanvasElement | null>, spec: PaneSpec, room: Room): void {
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || room.width < 1 || room.height < 1) return;
    const engine = theEngine();
    if (!engine) return;
    const { touch, remove } = engine.add({
      canvas: element,
      room,
      look: (columns, rows) => lookOf(useWorkspace.getState(), spec, room, { columns, rows, card: engine }),
    });
    const stops = [useWorkspace.subscribe(touch), useOwnCursors.subscribe(touch), useDoseLook.subscribe(touch)];
    return () => {
      for (const stop of stops) stop();
      remove();
    };
  }, [canvas, spec, room]);
}

/** Move where a pane looks: all linked panes with it, or itself alone. */
export function lookAt(shown: Shown, point: Vector): void {
  if (shown.isAlone) useOwnCursors.setState({ [shown.anchor.SeriesInstanceUID]: point });
  else useWorkspace.getState().setCursor(point);
}

export function useSpec({ pane, plane, role }: PaneSpec): PaneSpec {
  return useMemo(() => ({ pane, plane, role }), [pane, plane, role]);
}

/** Counts up while it is on. */
export function useTicking(isOn: boolean, every_ms: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const timer = window.setInterval(() => { setTick((now) => now + 1); }, every_ms);
    return () => { window.clearInterval(timer); };
  }, [isOn, every_ms]);
  return tick;
}
