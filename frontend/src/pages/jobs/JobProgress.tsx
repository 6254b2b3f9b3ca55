import { doneOf, totalOf } from "../../api/jobs";
import type { ItemState, Job } from "../../api/types";
import classes from "./JobProgress.module.css";
import { itemWord, progressText, shareOfOne } from "./words";

const SEGMENTS: readonly ItemState[] = ["sent", "warned", "failed"];

/** How far a job is, as a bar: what went well, with a warning, wrong; the rest is still to do. */
export function JobProgress({ job, height = 6 }: { job: Job; height?: number }) {
  const total = totalOf(job);
  if (total === 0) return <div className={classes.bar} style={{ height }} data-empty />;
  const share = shareOfOne(job);
  const parts = [...SEGMENTS, "pending" as const].filter((state) => job[state] > 0);
  const counts = parts.map((state) => `${job[state].toLocaleString()} ${itemWord(job.kind, state)}`).join(", ");
  const words = share === null ? counts : progressText(job);
  const widthOf = (state: ItemState) => (state === "sent" && share !== null ? share : job[state] / total);
  return (
    <div
      className={classes.bar}
      style={{ height }}
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={share ?? doneOf(job)}
      aria-valuetext={words}
      title={words}
      data-running={job.state === "running" || undefined}
    >
      {SEGMENTS.map((state) => (
        <div key={state} className={classes[state]} style={{ width: `${String(100 * widthOf(state))}%` }} />
      ))}
    </div>
  );
}
