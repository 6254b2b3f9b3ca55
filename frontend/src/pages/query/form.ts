/** What a person fills in, and the keys of C-FIND that it becomes (PS3.4 sections C.2.2.2 and C.6.2.1). */

import type { NewRetrieval, PeerQuery } from "../../api/types";

export interface Form {
  name: string;
  id: string;
  /** "YYYY-MM-DD" as the browser's date field has it, "" for open. */
  from: string;
  to: string;
  modality: string;
  accession: string;
  description: string;
}

export const EMPTY_FORM: Form = { name: "", id: "", from: "", to: "", modality: "", accession: "", description: "" };

export const LIMIT = 500;

const STUDY_RETURNS = [
  "StudyInstanceUID",
  "PatientName",
  "PatientID",
  "PatientBirthDate",
  "PatientSex",
  "StudyDate",
  "StudyTime",
  "StudyID",
  "StudyDescription",
  "AccessionNumber",
  "ReferringPhysicianName",
  "ModalitiesInStudy",
  "NumberOfStudyRelatedSeries",
  "NumberOfStudyRelatedInstances",
];
const SERIES_RETURNS = [
  "SeriesInstanceUID",
  "Modality",
  "SeriesNumber",
  "SeriesDescription",
  "BodyPartExamined",
  "SeriesDate",
  "SeriesTime",
  "NumberOfSeriesRelatedInstances",
];

/** "doe, jane" -> "doe*^jane*": beginnings, as people type them. What has wildcards or carets is meant as it is. */
export function nameKey(text: string): string {
  const name = text.trim().replaceAll(/\s+/g, " ");
  if (name === "") return "";
  if (/[*?^=]/.test(name)) return name.replace(/\s*,\s*/, "^");
  return name
    .split(",")
    .map((part) => part.trim())
    .map((part) => `${part}*`)
    .slice(0, 3)
    .join("^");
}

/** Words are looked for anywhere in a description. */
export function anywhere(text: string): string {
  const words = text.trim();
  return words === "" || /[*?]/.test(words) ? words : `*${words}*`;
}

/** "2026-11-01", "2026-11-20" -> "20261101-20261120"; an open end stays open. */
export function dateKey(from: string, to: string): string {
  const [first, last] = [from, to].map((day) => day.replaceAll("-", ""));
  if (!first && !last) return "";
  return first === last ? String(first) : `${String(first)}-${String(last)}`;
}

/** The first thing wrong with the form, by field; null when it can be asked. */
export function faultOf(form: Form): { field: keyof Form; text: string } | null {
  if (form.from && form.to && form.from > form.to) {
    return { field: "to", text: "The last day is before the first." };
  }
  const broken = (["name", "id", "accession", "description"] as const).find((field) => form[field].includes("\\"));
  return broken ? { field: broken, text: "A backslash cannot be searched for: it separates values in DICOM." } : null;
}

export function studyQuery(form: Form): PeerQuery {
  const keys = Object.fromEntries(STUDY_RETURNS.map((keyword) => [keyword, ""]));
  return {
    level: "study",
    limit: LIMIT,
    keys: {
      ...keys,
      PatientName: nameKey(form.name),
      PatientID: form.id.trim(),
      StudyDate: dateKey(form.from, form.to),
      ModalitiesInStudy: form.modality,
      AccessionNumber: form.accession.trim(),
      StudyDescription: anywhere(form.description),
    },
  };
}

export function seriesQuery(study: string): PeerQuery {
  const keys = Object.fromEntries(SERIES_RETURNS.map((keyword) => [keyword, ""]));
  return { level: "series", limit: 2000, keys: { ...keys, StudyInstanceUID: study } };
}

export function imagesQuery(study: string, series: string): PeerQuery {
  return {
    level: "instance",
    limit: 10_000,
    keys: { SOPInstanceUID: "", StudyInstanceUID: study, SeriesInstanceUID: series },
  };
}

// --- dates people ask for ------------------------------------------------------------------------

export const PERIODS = ["Any time", "Today", "Yesterday", "Last 7 days", "Last 30 days", "Last year"] as const;
export type Period = (typeof PERIODS)[number];

function daysAgo(today: Date, days: number): string {
  const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - days);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${String(day.getFullYear())}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** The first and the last day of a period, by the reader's own calendar. */
export function periodOf(period: Period, today = new Date()): Pick<Form, "from" | "to"> {
  switch (period) {
    case "Any time":
      return { from: "", to: "" };
    case "Today":
      return { from: daysAgo(today, 0), to: daysAgo(today, 0) };
    case "Yesterday":
      return { from: daysAgo(today, 1), to: daysAgo(today, 1) };
    case "Last 7 days":
      return { from: daysAgo(today, 6), to: daysAgo(today, 0) };
    case "Last 30 days":
      return { from: daysAgo(today, 29), to: daysAgo(today, 0) };
    case "Last year":
      return { from: daysAgo(today, 365), to: daysAgo(today, 0) };
  }
}

/** Which period these days are; null for days of one's own. */
export function periodWith(form: Form, today = new Date()): Period | null {
  const isSame = (period: Period) => {
    const days = periodOf(period, today);
    return days.from === form.from && days.to === form.to;
  };
  return PERIODS.find(isSame) ?? null;
}

// --- what is chosen ---------------------------------------------------------------------------------

/** A study, or one series of it. */
export interface Chosen {
  study: string;
  series?: string;
}

export function nameOfChosen({ study, series }: Chosen): string {
  return series === undefined ? study : `${study}/${series}`;
}

/** As few retrievals as name all of it: one for the studies, one for the series of each further study. */
export function retrievalsOf(peer: string, chosen: Chosen[]): NewRetrieval[] {
  const studies = [...new Set(chosen.filter((one) => one.series === undefined).map((one) => one.study))];
  const seriesOf = new Map<string, string[]>();
  for (const { study, series } of chosen) {
    if (series === undefined || studies.includes(study)) continue;
    seriesOf.set(study, [...(seriesOf.get(study) ?? []), series]);
  }
  const wanted: NewRetrieval[] = studies.length > 0 ? [{ peer, level: "study", names: studies }] : [];
  for (const [study, names] of seriesOf) {
    wanted.push({ peer, level: "series", names: [...new Set(names)], above: { StudyInstanceUID: study } });
  }
  return wanted;
}
