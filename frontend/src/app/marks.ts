/** What the rail says beside a page: jobs that run or failed, troubles of the service. */
import { useQuery } from "@tanstack/react-query";

import { get } from "../api/client";
import type { JobTotals, Status } from "../api/types";
import { formatCounted } from "../ui/format";

export interface Mark {
  short: string;
  /** For a tooltip and for screen readers. */
  text: string;
  tone: "bad" | "busy";
}

const EVERY_MS = 30_000;

/** Failed jobs are louder than running ones: someone must do something. */
export function jobsMark(totals: JobTotals | undefined): Mark | undefined {
  if (!totals) return undefined;
  const running = totals.running + totals.queued + totals.waiting;
  const words = [
    totals.failed && `${formatCounted(totals.failed, "job")} failed`,
    running && `${formatCounted(running, "job")} under way`,
  ].filter(Boolean);
  if (!words.length) return undefined;
  return { short: brief(totals.failed || running), text: words.join(", "), tone: totals.failed ? "bad" : "busy" };
}

export function statusMark(troubles: readonly string[] | undefined): Mark | undefined {
  if (!troubles?.length) return undefined;
  return { short: brief(troubles.length), text: troubles.join(" "), tone: "bad" };
}

function brief(count: number): string {
  return count > 99 ? "99+" : String(count);
}

export function useMarks(): Partial<Record<string, Mark>> {
  const totals = useQuery({
    queryKey: ["jobs", "totals"],
    queryFn: ({ signal }) => get<JobTotals>("/jobs/totals", undefined, signal),
    refetchInterval: EVERY_MS,
  });
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => get<Status>("/status", undefined, signal),
    refetchInterval: EVERY_MS,
  });
  return { "/jobs": jobsMark(totals.data), "/status": statusMark(status.data?.troubles) };
}
