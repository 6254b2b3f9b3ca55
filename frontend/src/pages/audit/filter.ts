/** What of the access log is asked for, as it stands in the address of the page. */

import type { AuditFilter } from "../../api/admin";
import type { Outcome } from "../../api/types";

export const OUTCOMES: Outcome[] = ["done", "refused", "failed"];
const DAY_S = 86_400;

/** Days as in a date field ("2026-11-22"), both included, in the reader's time zone. */
export interface FilterText {
  user: string;
  action: string;
  outcome: string;
  study: string;
  from: string;
  to: string;
}

const NAMES = ["user", "action", "outcome", "study", "from", "to"] as const;

export function filterText(parameters: URLSearchParams): FilterText {
  const [user = "", action = "", outcome = "", study = "", from = "", to = ""] = NAMES.map((name) => parameters.get(name) ?? "");
  return { user, action, outcome, study, from, to };
}

export function parametersOf(filter: FilterText): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [name, filter[name]]).filter(([, value]) => value !== ""));
}

export function filterOf(text: FilterText): AuditFilter {
  const end = dayStart(text.to);
  return {
    user: text.user.trim(),
    action: text.action,
    outcome: OUTCOMES.find((each) => each === text.outcome) ?? "",
    study: text.study.trim(),
    from_s: dayStart(text.from),
    // Days have 23 or 25 hours now and then: the calendar says where the next one begins.
    until_s: end === null ? null : dayStart(nextDay(text.to)),
  };
}

function dayStart(day: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (match === null) return null;
  const seconds = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3])).getTime() / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

function nextDay(day: string): string {
  const noon = new Date(`${day}T12:00:00Z`).getTime() / 1000;
  return new Date((noon + DAY_S) * 1000).toISOString().slice(0, 10);
}
