import { Center, Loader } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { IconAlertTriangle, IconBan, IconCircleCheck } from "@tabler/icons-react";
import { useEffect, useRef } from "react";

import type { AuditEntry, Outcome } from "../../api/types";
import { formatCount, formatInstant, formatLongInstant, Uid } from "../../ui";
import classes from "./audit.module.css";
import { outcomeWord, sentence } from "./sentences";

const ROW_PX = 32;
const LOOKS: Record<Outcome, { color: string; icon: typeof IconBan }> = {
  done: { color: "var(--rf-quiet)", icon: IconCircleCheck },
  refused: { color: "var(--rf-warn)", icon: IconBan },
  failed: { color: "var(--rf-bad)", icon: IconAlertTriangle },
};

interface Props {
  entries: AuditEntry[];
  hasMore: boolean;
  isFetching: boolean;
  onMore: () => void;
}

/** The newest first; more are fetched when the end comes near. */
export function EntryList({ entries, hasMore, isFetching, onMore }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: entries.length, getScrollElement: () => scroll.current, estimateSize: () => ROW_PX, overscan: 12 });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isFetching && last >= entries.length - 1) onMore();
  }, [hasMore, isFetching, last, entries.length, onMore]);

  return (
    <div className={classes.scroll} ref={scroll} tabIndex={0} aria-label="Access log">
      <div className={classes.table} role="table" aria-rowcount={hasMore ? -1 : entries.length + 1}>
        <div className={classes.head} role="row" aria-rowindex={1}>
          {["When", "Who", "What", "Study", "From", "Outcome"].map((title) => <span key={title} role="columnheader">{title}</span>)}
        </div>
        <div className={classes.rows} role="rowgroup" style={{ height: rows.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const entry = entries[index];
            return entry && <Row key={entry.id} entry={entry} top={start} index={index} />;
          })}
        </div>
      </div>
      {isFetching && <Center p="sm"><Loader size="sm" aria-label="Loading more" /></Center>}
    </div>
  );
}

function Row({ entry, top, index }: { entry: AuditEntry; top: number; index: number }) {
  const what = sentence(entry);
  const { color, icon: Icon } = LOOKS[entry.outcome];
  const when = entry.count > 1 ? `${formatLongInstant(entry.time_s)} to ${formatLongInstant(entry.last_s)}` : formatLongInstant(entry.time_s);
  return (
    <div className={classes.row} role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${top}px)` }}>
      <time role="cell" title={when} dateTime={new Date(entry.last_s * 1000).toISOString()}>{formatInstant(entry.last_s)}</time>
      <span role="cell" title={entry.user}>{entry.user === "" ? "nobody" : entry.user}</span>
      <span role="cell" title={`${what}\nrequest ${entry.request}`}>
        {what}
        {entry.count > 1 && <span className={classes.times}>{formatCount(entry.count)} times</span>}
      </span>
      <span role="cell"><Uid value={entry.study} /></span>
      <span role="cell">{entry.address}</span>
      <span role="cell">
        <span className={classes.outcome} style={{ color }}>
          <Icon size={16} stroke={1.8} aria-hidden />
          {outcomeWord(entry.outcome)}
        </span>
      </span>
    </div>
  );
}
