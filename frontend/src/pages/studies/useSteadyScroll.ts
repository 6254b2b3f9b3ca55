import { useLayoutEffect, useRef, type RefObject } from "react";

import type { StudySearch } from "../../api/studies";
import type { Study } from "../../api/types";
import { keepScrollPlace, scrollPlace } from "./searchState";

const ROW_PX = 32;

/**
 * The rows in view stay where they are when others come or go above them; at the top new ones come into view. A new
 * search begins at the top, and who comes back to the page finds it as it was.
 */
export function useSteadyScroll(table: RefObject<HTMLElement | null>, studies: readonly Study[], search: StudySearch) {
  const anchor = useRef<{ uid: string; index: number; rest_px: number } | null>(null);
  const searched = useRef<StudySearch | null>(null);
  const known = useRef(studies);

  const onScroll = () => {
    const top = table.current?.scrollTop ?? 0;
    keepScrollPlace(top);
    const index = Math.floor(top / ROW_PX);
    const study = known.current[index];
    anchor.current = top > 0 && study ? { uid: study.StudyInstanceUID, index, rest_px: top - index * ROW_PX } : null;
  };

  useLayoutEffect(() => {
    known.current = studies;
    const element = table.current;
    if (!element) return;
    if (searched.current !== search) {
      element.scrollTo({ top: searched.current === null ? scrollPlace() : 0 });
      searched.current = search;
      return;
    }
    const { uid, index, rest_px } = anchor.current ?? {};
    if (uid === undefined || index === undefined || studies[index]?.StudyInstanceUID === uid) return;
    const now = studies.findIndex((study) => study.StudyInstanceUID === uid);
    if (now >= 0) element.scrollTo({ top: now * ROW_PX + (rest_px ?? 0) });
  }, [table, studies, search]);

  return onScroll;
}
