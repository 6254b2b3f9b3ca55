import { Button, Group, Loader } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { IconAlertTriangle, IconCheck, IconClock, IconX, type Icon } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { totalOf, useJobItems } from "../../api/jobs";
import type { ItemState, Job, JobItem } from "../../api/types";
import { capitalized, ErrorBox, formatCount, Uid, When } from "../../ui";
import classes from "./jobs.module.css";
import { itemWord } from "./words";

const STATES: readonly ItemState[] = ["failed", "warned", "pending", "sent"];
const ICONS: Record<ItemState, Icon> = { pending: IconClock, sent: IconCheck, warned: IconAlertTriangle, failed: IconX };
const AHEAD = 20;

/** What became of each instance of a job. */
export function JobItems({ job }: { job: Job }) {
  const [state, setState] = useState<ItemState | null>(job.failed > 0 ? "failed" : null);
  const query = useJobItems(job.id, state);
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  return (
    <section className={classes.items} aria-label="Instances">
      <Group gap={4} className={classes.filters} role="group" aria-label="Which instances">
        <Filter label="All" count={totalOf(job)} isOn={state === null} onPick={() => { setState(null); }} />
        {STATES.filter((each) => job[each] > 0 || each === state).map((each) => (
          <Filter
            key={each}
            state={each}
            label={itemWord(job.kind, each)}
            count={job[each]}
            isOn={state === each}
            onPick={() => { setState(each); }}
          />
        ))}
      </Group>
      {query.isError && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Loader size="sm" className={classes.more} />}
      {query.isSuccess && items.length === 0 && <div className={classes.none}>No instances here.</div>}
      <Rows
        key={state}
        kind={job.kind}
        items={items}
        onEnd={() => {
          if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
        }}
      />
    </section>
  );
}

interface FilterProps {
  label: string;
  count: number;
  state?: ItemState;
  isOn: boolean;
  onPick: () => void;
}

function Filter({ label, count, state, isOn, onPick }: FilterProps) {
  const StateIcon = state && ICONS[state];
  return (
    <Button
      size="compact-xs"
      variant={isOn ? "light" : "subtle"}
      color={isOn ? undefined : "gray"}
      aria-pressed={isOn}
      leftSection={StateIcon && <StateIcon size={14} className={classes[`icon-${state}`]} />}
      onClick={onPick}
    >
      {capitalized(label)} {formatCount(count)}
    </Button>
  );
}

function Rows({ kind, items, onEnd }: { kind: string; items: JobItem[]; onEnd: () => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (told(items[index]) ? 50 : 30),
    getItemKey: (index) => items[index]?.number ?? index,
    overscan: AHEAD,
    initialRect: { width: 400, height: 400 },
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (items.length > 0 && last >= items.length - AHEAD) onEnd();
  });
  return (
    <div ref={scroller} className={classes.itemList} tabIndex={0} role="table" aria-label="Instances" aria-rowcount={items.length}>
      <div className={classes.rows} style={{ height: virtual.getTotalSize() }}>
        {rows.map((row) => {
          const item = items[row.index];
          return (
            item && (
              <div
                key={row.key}
                ref={virtual.measureElement}
                data-index={row.index}
                className={classes.place}
                style={{ transform: `translateY(${String(row.start)}px)` }}
              >
                <Row kind={kind} item={item} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** The status with its meaning, and what the peer or we said about it. */
function told(item: JobItem | undefined): string {
  return item ? [item.meaning, item.comment].filter(Boolean).join(": ") : "";
}

function Row({ kind, item }: { kind: string; item: JobItem }) {
  const StateIcon = ICONS[item.state];
  const text = told(item);
  const isTold = text !== "" && (item.state === "failed" || item.state === "warned" || item.comment !== "");
  return (
    <div className={classes.item} role="row">
      <span role="cell" className={classes.number}>{formatCount(item.number)}</span>
      <span role="cell" className={classes.uid}>
        <Uid value={item.name} />
      </span>
      <span role="cell" className={classes.itemState}>
        <StateIcon size={14} className={classes[`icon-${item.state}`]} aria-hidden />
        {itemWord(kind, item.state)}
      </span>
      <span role="cell" className={classes.status} title={item.meaning}>{item.status}</span>
      <span role="cell" className={classes.itemWhen}>{item.state !== "pending" && <When seconds={item.changed_s} />}</span>
      {isTold && <span role="cell" className={classes.told}>{text}</span>}
    </div>
  );
}
