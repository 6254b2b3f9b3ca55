/** What jobs are called, and what is said of them, for people. */

import { doneOf, totalOf, type JobAction } from "../../api/jobs";
import type { ItemState, Job, JobState, JobTotals } from "../../api/types";
import { formatDuration } from "../../ui";

export type GroupName = "running" | "waiting" | "failed" | "done" | "all";

export interface Group {
  name: GroupName;
  label: string;
  states: JobState[];
  /** What an empty list of it says. */
  empty: { title: string; text: string };
}

export const GROUPS: readonly Group[] = [
  {
    name: "all",
    label: "All",
    states: [],
    empty: {
      title: "No jobs yet",
      text: "Send a study to a peer, retrieve one on the Query page, or delete one: each becomes a job, and this page shows how it goes.",
    },
  },
  {
    name: "running",
    label: "Running",
    states: ["running"],
    empty: { title: "Nothing is running", text: "Jobs that wait for their turn or for another attempt are under Waiting." },
  },
  {
    name: "waiting",
    label: "Waiting",
    states: ["queued", "waiting", "paused"],
    empty: {
      title: "Nothing is waiting",
      text: "Jobs wait here for their turn, for another attempt, for the end of the undo time, or until they are resumed.",
    },
  },
  {
    name: "failed",
    label: "Failed",
    states: ["failed"],
    empty: { title: "Nothing has failed", text: "A job that cannot go on without somebody's help is shown here with what to do." },
  },
  {
    name: "done",
    label: "Done",
    states: ["done", "cancelled"],
    empty: { title: "Nothing is done yet", text: "Jobs that have ended, and cancelled ones, are kept here for a while." },
  },
];

export function groupOf(name: string | null): Group {
  return GROUPS.find((group) => group.name === name) ?? (GROUPS[0] as Group);
}

export function countOf(group: Group, totals: JobTotals | undefined): number | null {
  if (!totals) return null;
  const states = group.states.length > 0 ? group.states : (Object.keys(totals) as JobState[]);
  return states.reduce((sum, state) => sum + (totals[state] ?? 0), 0);
}

const KINDS: Record<string, { label: string; done: string }> = {
  send: { label: "Send", done: "sent" },
  retrieve: { label: "Retrieve", done: "retrieved" },
  delete: { label: "Delete", done: "deleted" },
  anonymize: { label: "Anonymize", done: "anonymized" },
  register: { label: "Register", done: "registered" },
  "export media": { label: "Export to media", done: "written" },
  "import media": { label: "Import", done: "imported" },
  commit: { label: "Storage commitment", done: "committed" },
  "commit-report": { label: "Commitment report", done: "reported" },
};

export function kindLabel(kind: string): string {
  return KINDS[kind]?.label ?? kind.slice(0, 1).toUpperCase() + kind.slice(1).replaceAll(/[-_]/g, " ");
}

/** "sent" is what the queue calls every item that is done. */
export function itemWord(kind: string, state: ItemState): string {
  if (state === "sent") return KINDS[kind]?.done ?? "done";
  if (state === "warned") return "with a warning";
  return state;
}

/** A delete job that waits for the end of its undo time, not for another attempt. */
export function isUndoable(job: Job): boolean {
  return job.kind === "delete" && job.state === "waiting" && doneOf(job) === 0;
}

export function actionLabel(job: Job, action: JobAction): string {
  if (isUndoable(job) && action === "cancel") return "Undo";
  if (isUndoable(job) && action === "resume") return "Delete now";
  if (job.state === "waiting" && action === "resume") return "Try now";
  return { cancel: "Cancel", pause: "Pause", resume: "Resume", retry: "Retry" }[action];
}

const PERCENT = /(\d+(?:\.\d+)?) ?%/;
const OF = /^([\d,]+) of ([\d,]+) files/;

/** How far a job is that says so in its message: "writing, 45 %", "1,200 of 4,000 files ..."; null: it does not. */
export function shareOf({ state, message }: Pick<Job, "state" | "message">): number | null {
  if (state === "done") return 1;
  const percent = PERCENT.exec(message)?.[1];
  if (percent !== undefined) return Math.min(Number(percent) / 100, 1);
  const [done, total] = (OF.exec(message) ?? []).slice(1).map((count) => Number(count.replaceAll(",", "")));
  return done === undefined || !total ? null : Math.min(done / total, 1);
}

/** The share of a job that is one thing, as a file-set or an import, while it is done; null: its items are counted. */
export function shareOfOne(job: Job): number | null {
  return totalOf(job) === 1 && job.state === "running" && doneOf(job) === 0 ? shareOf(job) : null;
}

/** "180 of 240", "240"; of one thing that is being done "45 %". */
export function progressText(job: Job): string {
  const share = shareOfOne(job);
  if (share !== null) return `${String(Math.floor(100 * share))} %`;
  const total = totalOf(job);
  if (total === 0) return "";
  const done = doneOf(job);
  return done === total ? total.toLocaleString() : `${done.toLocaleString()} of ${total.toLocaleString()}`;
}

/** The line below a title: what happened and what to do, or what it waits for. */
export function storyOf(job: Job, now_s: number): string {
  const parts: string[] = [];
  if (isUndoable(job) && job.next_attempt_s !== null) {
    return `Deleted ${inTime(job.next_attempt_s - now_s)}; until then it can be undone.`;
  }
  if (job.message && job.state !== "cancelled") parts.push(job.message);
  if (job.state === "waiting" && job.next_attempt_s !== null) {
    parts.push(`Tries again ${inTime(job.next_attempt_s - now_s)}.`);
  }
  return parts.join(" ");
}

/** Whether its story is one that somebody should read. */
export function isTrouble(job: Job): boolean {
  return job.message !== "" && (job.state === "failed" || (job.state === "waiting" && !isUndoable(job)));
}

function inTime(seconds: number): string {
  return seconds > 0.5 ? `in ${formatDuration(Math.ceil(seconds))}` : "now";
}

/** "attempt 2 of 6"; nothing for the first, which is how it goes. */
export function attemptText(job: Job): string {
  const all = job.retries + 1;
  if (job.attempt <= 1) return "";
  return job.attempt > all ? `attempt ${String(job.attempt)}` : `attempt ${String(job.attempt)} of ${String(all)}`;
}

/** What the clock of a list row tells: since when it is as it is. */
export function whenOf(job: Job): number {
  return job.finished_s ?? (job.state === "running" ? (job.started_s ?? job.created_s) : job.created_s);
}
