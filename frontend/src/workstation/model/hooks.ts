/** What several panels and bars read of the state. */
import type { OpeningSeries, OpeningStudy, VolumeFacts } from "../../api/workstation";
import { useWorkspace } from "./store";

export interface KnownSeries {
  Modality: string;
  SeriesDescription: string;
  StudyDate: string;
  instances: number;
  shows_as: OpeningSeries["shows_as"] | "";
  reason: string;
}

/** What is known of a series before, and after, it was read. */
export function knownSeries(studies: readonly OpeningStudy[], series: string, facts?: VolumeFacts): KnownSeries {
  for (const study of studies) {
    const found = study.series.find((each) => each.SeriesInstanceUID === series);
    if (found) return { ...found, StudyDate: study.StudyDate };
  }
  const { Modality = "", SeriesDescription = "", StudyDate = "" } = facts ?? {};
  return { Modality, SeriesDescription, StudyDate, instances: 0, shows_as: "", reason: "" };
}

const NONE: readonly OpeningStudy[] = [];

export function useKnownSeries(series: string | null | undefined): KnownSeries {
  const studies = useWorkspace((state) => state.opening?.studies ?? NONE);
  const facts = useWorkspace((state) => (series ? state.facts[series] : undefined));
  return knownSeries(studies, series ?? "", facts);
}

/** The facts of the series that has this place; undefined while it is read. */
export function useFactsOf(slot: "base" | "overlay" | "prior"): VolumeFacts | undefined {
  return useWorkspace((state) => {
    const series = state.doc[slot]?.series;
    return series ? state.facts[series] : undefined;
  });
}
