import { Checkbox, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState, type KeyboardEvent } from "react";

import { seriesOptions } from "./asking";
import { nameOfChosen, type Chosen } from "./form";
import classes from "./query.module.css";
import { ResultRow } from "./ResultRow";
import { rowsOf, sorted, type Row, type SortKey } from "./rows";
import type { Search } from "./search";

const STUDY_PX = 44;
const SERIES_PX = 32;

export interface ResultsProps {
  search: Search;
  mayRetrieve: boolean;
  chosen: ReadonlyMap<string, Chosen>;
  onChosen: (chosen: ReadonlyMap<string, Chosen>) => void;
  onRetrieve: (chosen: Chosen[]) => void;
}

/** What the peer answered: studies, each opens to its series. Only the rows in sight exist. */
export function Results({ search, mayRetrieve, chosen, onChosen, onRetrieve }: ResultsProps) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [sort, setSort] = useState<{ by: SortKey | null; isDown: boolean }>({ by: null, isDown: false });
  const [cursor, setCursor] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRows(search, opened, sort);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index]?.kind === "study" ? STUDY_PX : SERIES_PX),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    initialRect: { width: 800, height: 600 },
  });

  function toggleOpen(study: string): void {
    setOpened((old) => {
      const now = new Set(old);
      if (!now.delete(study)) now.add(study);
      return now;
    });
  }

  function toggle(one: Chosen): void {
    const now = new Map(chosen);
    if (!now.delete(nameOfChosen(one))) now.set(nameOfChosen(one), one);
    onChosen(now);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const row = rows[cursor];
    const to = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      const at = Math.max(0, Math.min(to, rows.length - 1));
      setCursor(at);
      virtual.scrollToIndex(at);
    } else if (row?.kind === "study" && opensWith(event.key, row.isOpen)) toggleOpen(row.study);
    else if (event.key === " " && mayRetrieve && row && chosenOf(row)) toggle(chosenOf(row) as Chosen);
    else return;
    event.preventDefault();
  }

  const all = rows.filter((row) => row.kind === "study" && row.study !== "").map((row) => ({ study: row.study }));
  return (
    <div
      ref={scroller}
      className={classes.results}
      data-choosable={mayRetrieve || undefined}
      role="treegrid"
      aria-label="Answers"
      aria-rowcount={rows.length}
      aria-activedescendant={rows[cursor] ? `answer-${String(cursor)}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <Head
        sort={sort}
        onSort={setSort}
        box={
          mayRetrieve && (
            <Checkbox
              size="xs"
              aria-label="Choose all studies"
              checked={all.length > 0 && all.every((one) => chosen.has(one.study))}
              indeterminate={chosen.size > 0 && !all.every((one) => chosen.has(one.study))}
              onChange={(event) => {
                onChosen(new Map(event.currentTarget.checked ? all.map((one) => [one.study, one]) : []));
              }}
            />
          )
        }
      />
      <div className={classes.rows} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((place) => {
          const row = rows[place.index];
          return (
            row && (
              <div
                key={place.key}
                ref={virtual.measureElement}
                data-index={place.index}
                className={classes.place}
                style={{ transform: `translateY(${String(place.start)}px)` }}
              >
                <ResultRow
                  id={`answer-${String(place.index)}`}
                  row={row}
                  peer={search.asked}
                  jobs={search.jobs}
                  isCursor={place.index === cursor}
                  isChosen={isChosen(row, chosen)}
                  mayRetrieve={mayRetrieve}
                  onOpen={toggleOpen}
                  onToggle={toggle}
                  onRetrieve={onRetrieve}
                />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

function useRows(search: Search, opened: ReadonlySet<string>, sort: { by: SortKey | null; isDown: boolean }): Row[] {
  const studies = useMemo(() => [...opened], [opened]);
  const below = useQueries({ queries: studies.map((study) => seriesOptions(search.asked, study)) });
  const ordered = useMemo(() => sorted(search.answers, sort.by, sort.isDown), [search.answers, sort]);
  return rowsOf(ordered, opened, (study) => {
    const found = below[studies.indexOf(study)];
    return { answers: found?.data, error: found?.error ?? null };
  });
}

function opensWith(key: string, isOpen: boolean): boolean {
  return key === "Enter" || (key === "ArrowRight" && !isOpen) || (key === "ArrowLeft" && isOpen);
}

function chosenOf(row: Row): Chosen | null {
  if (row.study === "") return null;
  if (row.kind === "study") return { study: row.study };
  return row.kind === "series" && row.series !== "" ? { study: row.study, series: row.series } : null;
}

/** A chosen study takes its series along. */
function isChosen(row: Row, chosen: ReadonlyMap<string, Chosen>): boolean {
  const one = chosenOf(row);
  return one !== null && (chosen.has(nameOfChosen(one)) || chosen.has(one.study));
}

interface HeadProps {
  sort: { by: SortKey | null; isDown: boolean };
  onSort: (sort: { by: SortKey | null; isDown: boolean }) => void;
  box: React.ReactNode;
}

function Head({ sort, onSort, box }: HeadProps) {
  const sortable = (by: SortKey, label: string) => {
    const isBy = sort.by === by;
    const Arrow = sort.isDown ? IconArrowDown : IconArrowUp;
    return (
      <span role="columnheader" aria-sort={isBy ? (sort.isDown ? "descending" : "ascending") : "none"}>
        <UnstyledButton
          className={classes.sort}
          onClick={() => {
            // The newest first is what one looks for; names begin with A. A third click is the peer's order again.
            if (!isBy) onSort({ by, isDown: by === "StudyDate" });
            else if (sort.isDown === (by === "StudyDate")) onSort({ by, isDown: !sort.isDown });
            else onSort({ by: null, isDown: false });
          }}
        >
          {label}
          {isBy && <Arrow size={13} aria-hidden />}
        </UnstyledButton>
      </span>
    );
  };
  return (
    <div className={classes.head} role="row">
      {box && <span role="columnheader">{box}</span>}
      <span role="columnheader" aria-label="Open" />
      {sortable("PatientName", "Patient")}
      {sortable("StudyDate", "Study date")}
      {sortable("StudyDescription", "Description")}
      <span role="columnheader">Modalities</span>
      <span role="columnheader" className={classes.seriesCount}>Series</span>
      <span role="columnheader" className={classes.number}>Images</span>
      <span role="columnheader">Here</span>
      <span role="columnheader" aria-label="Retrieve" />
    </div>
  );
}
