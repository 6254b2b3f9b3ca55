import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

import { listStudies, studyKeys, type StudySearch } from "../../api/studies";
import { StudyList, type Rows } from "./list/studyList";

const NO_ROWS: Rows = { studies: [], isComplete: false, understood: [], error: null };
const nothing = () => () => undefined;
const noRows = () => NO_ROWS;

/**
 * The studies that a search finds. While the next search is under way the rows of the last one stay, and a request
 * that is no longer waited for is given up. Live events make the list read again what is in view.
 */
export function useStudies(search: StudySearch) {
  const client = useQueryClient();
  const key = studyKeys.list(search);
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => {
      const known = client.getQueryData<StudyList>(key);
      const list = known ?? new StudyList((cursor, ofMore) => listStudies(search, cursor, ofMore));
      return list.refresh(signal);
    },
    placeholderData: keepPreviousData,
    // A list is what it reads: comparing its insides would say nothing.
    structuralSharing: false,
    gcTime: 60_000,
  });
  const list = query.data;
  const rows = useSyncExternalStore(list?.subscribe ?? nothing, list?.snapshot ?? noRows);
  return {
    list,
    rows,
    isLoading: query.isPending,
    isSearching: query.isPlaceholderData,
    error: list && !query.isPlaceholderData ? null : query.error,
    retry: () => void query.refetch(),
  };
}
