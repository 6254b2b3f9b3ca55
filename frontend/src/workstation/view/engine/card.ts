/** What panes must know of the graphics card, besides pictures. */
import { create } from "zustand";

interface Card {
  /** Why nothing can be drawn, and what to do; "" while it can. */
  refusal: string;
  /** By the id of the facts: which level is on the card; 0 is all there is. */
  levels: Record<string, number>;
}

export const NO_WEBGL =
  "This browser draws no pictures: it has no WebGL 2. Allow hardware acceleration in its settings, or use a current Chromium, Firefox or Safari.";
export const LOST =
  "The browser lost the graphics card. The pictures come back by themselves; if they do not, load this page again: the draft is kept.";

export const useCard = create<Card>()(() => ({ refusal: "", levels: {} }));

export function setLevel(id: string, level: number | null): void {
  useCard.setState(({ levels }) => {
    const rest = Object.entries(levels).filter(([each]) => each !== id);
    return { levels: Object.fromEntries(level === null ? rest : [...rest, [id, level]]) };
  });
}
