import type { KeyboardEvent } from "react";

import { move, toggle, type Selected } from "./selection";

interface TableKeys {
  selected: Selected;
  order: readonly string[];
  onSelect: (selected: Selected) => void;
  onOpen: (uid: string) => void;
  /** What PageUp and PageDown move by. */
  rowsInView: () => number;
  /** Scroll so far that the row is in view. */
  onShow: (index: number) => void;
}

const MOVES: Record<string, number | undefined> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** The keys of a list: moving, stretching with Shift, choosing with the space bar, opening with Enter. */
export function useTableKeys({ selected, order, onSelect, onOpen, rowsInView, onShow }: TableKeys) {
  const distanceOf = (key: string) => {
    if (key === "PageDown") return Math.max(1, rowsInView());
    if (key === "PageUp") return -Math.max(1, rowsInView());
    return MOVES[key];
  };
  return (event: KeyboardEvent) => {
    const by = distanceOf(event.key);
    if (by !== undefined) {
      const next = move(selected, order, by, { ctrl: event.ctrlKey || event.metaKey, shift: event.shiftKey });
      onSelect(next);
      if (next.active) onShow(order.indexOf(next.active));
    } else if (event.key === " " && selected.active) {
      onSelect(toggle(selected, selected.active));
    } else if (event.key === "Enter" && selected.active) {
      onOpen(selected.active);
    } else {
      return;
    }
    event.preventDefault();
  };
}
