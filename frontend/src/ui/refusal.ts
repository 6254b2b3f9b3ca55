/** What the service refused, for a place that already says what it is about. */
import { problemOf } from "../api/client";
import { sentence } from "./ErrorBox";

/** "limits.pdu_s: too small" -> "Too small.": at its field the name of a setting need not be told again. */
export function withoutSetting(setting: string | undefined, detail: string): string {
  const prefix = `${setting ?? ""}: `;
  return sentence(detail.startsWith(prefix) ? detail.slice(prefix.length) : detail);
}

export function reasonOf(error: unknown): string {
  const { setting, detail } = problemOf(error);
  return withoutSetting(setting, detail);
}

/** What was refused about one field, as a sentence below it. */
export function refusalOf(error: unknown, field: string): string | undefined {
  if (error === null || error === undefined) return undefined;
  return problemOf(error).setting === field ? reasonOf(error) : undefined;
}
