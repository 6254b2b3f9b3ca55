/** What the workstation says of values and states. */
import type { Alignment, OpeningSeries, VolumeFacts } from "../../api/workstation";
import { sentence } from "../../ui/ErrorBox";
import { formatDate } from "../../ui/format";
import type { SeriesProblem } from "./state";

const DASH = "–";

/** Three figures that matter: 12.3, 0.456, 1,234. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Of a window's edges: whole for HU, two digits for SUV. */
export function edge(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString(undefined, { maximumFractionDigits: digits, useGrouping: false });
}

/** As it is written after a number: stored values have none. */
export function unitWords(unit: string): string {
  return unit === "stored" ? "" : unit;
}

export type Tone = "good" | "info" | "warn" | "bad" | "quiet";

export interface Reason {
  tone: Tone;
  /** Read out before the sentence: colour is never the only sign. */
  word: string;
  sentence: string;
}

/** The service begins its sentences with what the word says already. */
function beyond(word: string, said: string): string {
  const [head = "", ...rest] = said.split(": ");
  return sentence(rest.length && head.toLowerCase() === word.toLowerCase() ? rest.join(": ") : said);
}

export const GRADE_WORDS = { PASS: "passed", "NOT JUDGED": "not judged", CAUTION: "take care", FAIL: "failed" } as const;

/** "rigid, CT 12 May 2026 to MR 3 Jun 2026, take care: inverse consistency 4.4 mm". */
export function pathWords(facts: VolumeFacts, base: VolumeFacts | undefined): string {
  const { is_deformable, grade, grade_reason, steps } = facts.alignment;
  // The service resamples what a rigid path does not fit.
  const kind = is_deformable ? "deformable" : facts.is_resampled ? "affine" : "rigid";
  const of = ({ Modality, StudyDate }: VolumeFacts) => [Modality, formatDate(StudyDate)].filter(Boolean).join(" ");
  const over = steps.length > 1 ? `over ${String(steps.length)} registrations` : "";
  const check = grade && [GRADE_WORDS[grade], grade_reason].filter(Boolean).join(": ");
  return [kind, base && `${of(base)} to ${of(facts)}`, over, check].filter(Boolean).join(", ");
}

/** Why a series lies where it is shown, as the bar under a pane says it. */
export function reasonOf(facts: VolumeFacts | undefined, problem: SeriesProblem | undefined, base?: VolumeFacts): Reason {
  if (problem) {
    const word = problem.status === 409 ? "Not registered" : "Not shown";
    return { tone: "bad", word, sentence: beyond(word, problem.sentence) };
  }
  if (!facts) return { tone: "quiet", word: "", sentence: "Being read …" };
  const { alignment } = facts;
  if (alignment.kind === "base") return { tone: "quiet", word: "", sentence: "By itself: nothing is laid over it." };
  if (alignment.kind === "proposed") return { tone: "warn", word: "Proposed, not kept", sentence: sentence(proposedWords(alignment)) };
  const isSame = alignment.kind === "same frame";
  const word = isSame ? "Same frame of reference" : "Registered";
  const said = isSame ? "" : sentence(pathWords(facts, base));
  const doubt = doubtOf(alignment);
  if (doubt) return { tone: "warn", word, sentence: [sentence(doubt), said].filter(Boolean).join(" ") };
  return { tone: isSame ? "good" : "info", word, sentence: said };
}

/** "automatic rigid, passed its check: inverse consistency 1.2 mm". */
function proposedWords({ method, grade, grade_reason, is_other_patient, is_other_side }: Alignment): string {
  const check = grade && [GRADE_WORDS[grade], grade_reason].filter(Boolean).join(": ");
  return [is_other_patient && "another patient", is_other_side && "the other side of the body", method, check].filter(Boolean).join(", ");
}

/** "" where there is none. */
export function doubtOf(alignment: Alignment): string {
  if (alignment.is_other_patient) return "Another patient.";
  if (alignment.is_other_side) return "The other side of the body.";
  if (alignment.grade === "FAIL") return "The registration failed its check.";
  if (alignment.kind === "registered" && alignment.grade !== "PASS") {
    return alignment.grade === "CAUTION" ? "The registration is doubtful." : "Nobody has judged the registration.";
  }
  return alignment.warnings[0] ?? "";
}

/** "PT · WB 3D" */
export function seriesWords({ Modality, SeriesDescription }: Pick<OpeningSeries, "Modality" | "SeriesDescription">): string {
  return SeriesDescription || `${Modality} without a description`;
}

/** What modalities are called in descriptions. */
const SPOKEN: Record<string, string> = { PT: "PET" };

/** "MR T1 thorax": many descriptions begin with the modality. */
export function titleWords(series: Pick<OpeningSeries, "Modality" | "SeriesDescription">): string {
  const { Modality, SeriesDescription } = series;
  const first = SeriesDescription.split(/[\s,;:_-]/)[0]?.toUpperCase() ?? "";
  if (!SeriesDescription) return seriesWords(series);
  return first === Modality || first === SPOKEN[Modality] ? SeriesDescription : `${Modality} ${SeriesDescription}`;
}

/** "40 %" */
export function progressWords(loading: { loaded: number; total: number }): string {
  return loading.total > 0 ? `${String(Math.min(100, Math.round((100 * loading.loaded) / loading.total)))} %` : "";
}
