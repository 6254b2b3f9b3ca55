/** What was searched for, kept while other pages are looked at. In memory alone: names belong into no address. */
import { useSyncExternalStore } from "react";

import type { StudySearch } from "../../api/studies";

const AT_FIRST: StudySearch = { q: "", sort: "date", order: "desc", database: "" };

let search = AT_FIRST;
/** Where the list was scrolled to, so that coming back finds it there. */
let scrolled_px = 0;
const listeners = new Set<() => void>();

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useSearch(): StudySearch {
  return useSyncExternalStore(subscribe, () => search);
}

export function changeSearch(changes: Partial<StudySearch>): void {
  search = { ...search, ...changes };
  scrolled_px = 0;
  listeners.forEach((tell) => {
    tell();
  });
}

export function forgetSearch(): void {
  changeSearch(AT_FIRST);
}

export function scrollPlace(): number {
  return scrolled_px;
}

export function keepScrollPlace(place_px: number): void {
  scrolled_px = place_px;
}
