import { Checkbox } from "@mantine/core";
import { memo, type MouseEvent } from "react";

import { rateOf, totalOf } from "../../api/jobs";
import type { Job } from "../../api/types";
import { formatCount, formatDuration, StateBadge, When } from "../../ui";
import classes from "./jobs.module.css";
import { JobProgress } from "./JobProgress";
import { attemptText, isTrouble, kindLabel, progressText, storyOf, whenOf } from "./words";

export interface JobRowProps {
  job: Job;
  now_s: number;
  isOpen: boolean;
  isCursor: boolean;
  isSelected: boolean;
  isSelectable: boolean;
  onOpen: (id: number) => void;
  onSelect: (id: number, isRange: boolean) => void;
}

/** One job: what, how far, how fast, since when; below it what went wrong or what it waits for. */
export const JobRow = memo(function JobRow(props: JobRowProps) {
  const { job, now_s, isOpen, isCursor, isSelected, isSelectable, onOpen, onSelect } = props;
  const story = storyOf(job, now_s);
  return (
    <div
      id={`job-${String(job.id)}`}
      role="row"
      aria-selected={isOpen}
      className={classes.row}
      data-open={isOpen || undefined}
      data-cursor={isCursor || undefined}
      style={{ height: rowHeight(job) }}
      data-over={job.state === "cancelled" || undefined}
      onClick={() => {
        onOpen(job.id);
      }}
    >
      {isSelectable && (
        <div role="gridcell" onClick={stop}>
          <Checkbox
            size="xs"
            tabIndex={-1}
            aria-label={`Select job ${String(job.id)}`}
            checked={isSelected}
            onChange={() => undefined}
            onClick={(event) => {
              onSelect(job.id, event.shiftKey);
            }}
          />
        </div>
      )}
      <div role="gridcell">
        <StateBadge state={job.state} />
      </div>
      <div role="gridcell" className={classes.what}>
        <div className={classes.title} title={job.title}>
          {job.title}
        </div>
        <div className={classes.story} data-trouble={isTrouble(job) ? job.state : undefined} title={story}>
          {story || about(job)}
        </div>
      </div>
      <div role="gridcell" className={classes.progress}>
        <JobProgress job={job} />
        <div className={classes.figures}>
          <span>{progressText(job)}</span>
          <span>{speed(job, now_s)}</span>
        </div>
      </div>
      <div role="gridcell" className={classes.when}>
        <When seconds={whenOf(job)} />
        <div className={classes.story}>#{job.id}</div>
      </div>
    </div>
  );
});

/** A trouble has two lines for what happened and what to do. */
export function rowHeight(job: Job | undefined): number {
  return job && isTrouble(job) ? 68 : 52;
}

function stop(event: MouseEvent): void {
  event.stopPropagation();
}

function about(job: Job): string {
  return [kindLabel(job.kind), job.peer, attemptText(job)].filter(Boolean).join(" · ");
}

/** "42/s, 12 s left" while it runs; how long it took once it is over; what failed first of all. */
function speed(job: Job, now_s: number): string {
  if (job.failed > 0 && job.state !== "running") return `${formatCount(job.failed)} failed`;
  const rate = rateOf(job, now_s);
  if (rate) return `${rateText(rate.per_s)}, ${formatDuration(rate.left_s)} left`;
  const isTimed = job.state === "done" && job.finished_s !== null && job.started_s !== null && totalOf(job) > 0;
  return isTimed ? formatDuration(Number(job.finished_s) - Number(job.started_s)) : "";
}

export function rateText(per_s: number): string {
  if (per_s >= 10) return `${formatCount(Math.round(per_s))}/s`;
  return per_s >= 0.1 ? `${per_s.toFixed(1)}/s` : `${(per_s * 60).toFixed(1)}/min`;
}
