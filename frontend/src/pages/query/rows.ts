/** The answers as the rows that are shown: studies, and below an opened one its series. */

import type { Answer } from "./search";

export type Row =
  | { kind: "study"; key: string; study: string; answer: Answer; isOpen: boolean }
  | { kind: "series"; key: string; study: string; series: string; answer: Answer }
  | { kind: "loading" | "nothing"; key: string; study: string }
  | { kind: "error"; key: string; study: string; error: Error };

export interface SeriesOfStudy {
  answers: Answer[] | undefined;
  error: Error | null;
}

export function rowsOf(answers: Answer[], opened: ReadonlySet<string>, seriesOf: (study: string) => SeriesOfStudy): Row[] {
  const rows: Row[] = [];
  const seen = new Set<string>();
  for (const [index, answer] of answers.entries()) {
    const study = answer.StudyInstanceUID ?? "";
    // Some peers tell a study more than once; a key must not be there twice.
    const key = seen.has(study) || study === "" ? `answer ${String(index)}` : study;
    if (key === study) seen.add(study);
    const isOpen = key === study && opened.has(study);
    rows.push({ kind: "study", key, study, answer, isOpen });
    if (isOpen) rows.push(...below(study, seriesOf(study)));
  }
  return rows;
}

function below(study: string, { answers, error }: SeriesOfStudy): Row[] {
  if (error) return [{ kind: "error", key: `${study} error`, study, error }];
  if (!answers) return [{ kind: "loading", key: `${study} loading`, study }];
  if (answers.length === 0) return [{ kind: "nothing", key: `${study} nothing`, study }];
  return answers.map((answer, index) => ({
    kind: "series",
    key: `${study}/${answer.SeriesInstanceUID ?? String(index)}`,
    study,
    series: answer.SeriesInstanceUID ?? "",
    answer,
  }));
}

/** An IS value; null when the peer did not tell. */
export function numberOf(value: string | undefined): number | null {
  const text = (value ?? "").trim();
  return /^\d+$/.test(text) ? Number(text) : null;
}

export function modalitiesOf(answer: Answer): string[] {
  return (answer.ModalitiesInStudy ?? answer.Modality ?? "").split("\\").map((each) => each.trim()).filter(Boolean);
}

export type SortKey = "PatientName" | "StudyDate" | "StudyDescription";

/** As it came, or by a column: the newest first for dates. */
export function sorted(answers: Answer[], by: SortKey | null, isDescending: boolean): Answer[] {
  if (by === null) return answers;
  const sign = isDescending ? -1 : 1;
  const valueOf = (answer: Answer) => (by === "StudyDate" ? `${answer.StudyDate ?? ""}${answer.StudyTime ?? ""}` : (answer[by] ?? ""));
  return [...answers].sort((one, other) => sign * valueOf(one).localeCompare(valueOf(other)));
}
