import { useMemo } from "react";

import { useWorkspace } from "../model/store";
import { placeOf, type Placed } from "./model";

/** A series of the patient that is open, with its study. */
export function usePlaced(series: string): Placed | undefined {
  const opening = useWorkspace((state) => state.opening);
  return useMemo(() => placeOf(opening, series), [opening, series]);
}
