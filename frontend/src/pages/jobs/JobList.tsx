import { Loader } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type KeyboardEvent } from "react";

import type { Job } from "../../api/types";
import classes from "./jobs.module.css";
import { JobRow, rowHeight } from "./JobRow";
import type { ListSelection } from "./selection";
import { isTrouble } from "./words";

const ROW_PX = 52;
const AHEAD = 10;

export interface JobListProps {
  jobs: Job[];
  now_s: number;
  openId: number | null;
  cursorId: number | null;
  isSelectable: boolean;
  selection: ListSelection;
  hasMore: boolean;
  isLoadingMore: boolean;
  onMore: () => void;
  onCursor: (id: number) => void;
  onOpen: (id: number) => void;
  onSelection: (selection: ListSelection) => void;
}

/** The jobs, the newest first; only the rows in sight exist. */
export function JobList(props: JobListProps) {
  const { jobs, openId, cursorId, selection, hasMore, isLoadingMore, onMore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => rowHeight(jobs[index]),
    getItemKey: (index) => jobs[index]?.id ?? index,
    overscan: AHEAD,
    initialRect: { width: 800, height: 600 },
  });
  // A job that fails grows: rows below it move.
  const heights = jobs.map((job) => (isTrouble(job) ? "t" : ".")).join("");
  useEffect(() => {
    virtual.measure();
  }, [virtual, heights]);
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && last >= jobs.length - AHEAD) onMore();
  }, [hasMore, isLoadingMore, last, jobs.length, onMore]);

  function moveTo(index: number): void {
    const job = jobs[Math.max(0, Math.min(index, jobs.length - 1))];
    if (!job) return;
    props.onCursor(job.id);
    virtual.scrollToIndex(jobs.indexOf(job));
    if (openId !== null) props.onOpen(job.id);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const at = jobs.findIndex((job) => job.id === cursorId);
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 1);
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: jobs.length - 1 }[
      event.key
    ];
    if (target !== undefined) moveTo(target);
    else if (event.key === "Enter" && cursorId !== null) props.onOpen(cursorId);
    else if (event.key === " " && cursorId !== null && props.isSelectable) props.onSelection(selection.toggle(cursorId));
    else return;
    event.preventDefault();
  }

  return (
    <div
      ref={scroller}
      className={classes.list}
      role="grid"
      aria-label="Jobs"
      aria-rowcount={jobs.length}
      aria-activedescendant={cursorId === null ? undefined : `job-${String(cursorId)}`}
      data-selectable={props.isSelectable || undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={() => {
        if (cursorId === null && jobs[0]) props.onCursor(jobs[0].id);
      }}
    >
      <div className={classes.rows} style={{ height: virtual.getTotalSize() }}>
        {rows.map((row) => {
          const job = jobs[row.index];
          return (
            job && (
              <div key={row.key} className={classes.place} style={{ transform: `translateY(${String(row.start)}px)` }}>
                <JobRow
                  job={job}
                  now_s={props.now_s}
                  isOpen={job.id === openId}
                  isCursor={job.id === cursorId}
                  isSelected={selection.has(job.id)}
                  isSelectable={props.isSelectable}
                  onOpen={(id) => {
                    props.onCursor(id);
                    props.onOpen(id);
                  }}
                  onSelect={(id, isRange) => {
                    props.onSelection(isRange ? selection.extend(id, jobs.map((each) => each.id)) : selection.toggle(id));
                  }}
                />
              </div>
            )
          );
        })}
      </div>
      {isLoadingMore && <Loader size="sm" className={classes.more} />}
    </div>
  );
}
