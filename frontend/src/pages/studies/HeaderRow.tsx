import { UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { memo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import type { StudySearch, StudySort } from "../../api/studies";
import { resized, widthOf, type ColumnState } from "./columnState";
import type { Column } from "./columns";
import styles from "./studies.module.css";

interface HeaderRowProps {
  columns: readonly Column[];
  state: ColumnState;
  search: StudySearch;
  chosen: "none" | "some" | "all";
  onSort: (sort: StudySort) => void;
  onResize: (state: ColumnState) => void;
  onChooseAll: () => void;
}

/** Stays as it is while the list scrolls. */
export const HeaderRow = memo(function HeaderRow(props: HeaderRowProps) {
  const { columns, state, search, chosen, onSort, onResize, onChooseAll } = props;
  return (
    <div role="row" aria-rowindex={1} className={styles.header}>
      <div role="columnheader" className={styles.check}>
        <input
          type="checkbox"
          className={styles.checkbox}
          aria-label="Select all that are loaded"
          ref={(box) => { if (box) box.indeterminate = chosen === "some"; }}
          checked={chosen === "all"}
          onChange={onChooseAll}
        />
      </div>
      {columns.map((column) => (
        <HeaderCell key={column.id} {...{ column, state, search, onSort, onResize }} />
      ))}
    </div>
  );
});

interface HeaderCellProps extends Pick<HeaderRowProps, "state" | "search" | "onSort" | "onResize"> {
  column: Column;
}

function HeaderCell({ column, state, search, onSort, onResize }: HeaderCellProps) {
  const { sort } = column;
  const isSorted = sort !== undefined && search.sort === sort;
  const direction = search.order === "asc" ? "ascending" : "descending";
  return (
    <div role="columnheader" className={styles.headerCell} aria-sort={isSorted ? direction : undefined}>
      {sort ? (
        <UnstyledButton
          className={styles.headerButton}
          data-number={column.isNumber || undefined}
          data-sorted={isSorted || undefined}
          title={column.hint}
          onClick={() => { onSort(sort); }}
        >
          {column.header}
          {isSorted && (search.order === "asc" ? <IconChevronUp size={14} /> : <IconChevronDown size={14} />)}
        </UnstyledButton>
      ) : (
        <span className={styles.headerButton} data-number={column.isNumber || undefined} title={column.hint}>
          {column.header}
        </span>
      )}
      <Resizer column={column} state={state} onResize={onResize} />
    </div>
  );
}

const STEP_PX = 16;

/** The right edge of a header: dragged, or moved by the arrow keys; a double click makes it as designed. */
function Resizer({ column, state, onResize }: Pick<HeaderCellProps, "column" | "state" | "onResize">) {
  const from = useRef<{ x_px: number; width_px: number } | null>(null);
  const [isActive, setActive] = useState(false);

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    const width_px = event.currentTarget.parentElement?.offsetWidth ?? widthOf(column, state);
    from.current = { x_px: event.clientX, width_px };
    setActive(true);
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (!from.current) return;
    onResize(resized(state, column, from.current.width_px + event.clientX - from.current.x_px));
  };
  const stop = () => {
    from.current = null;
    setActive(false);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = { ArrowLeft: -STEP_PX, ArrowRight: STEP_PX }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onResize(resized(state, column, (event.currentTarget.parentElement?.offsetWidth ?? widthOf(column, state)) + by));
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Width of ${column.header}`}
      aria-valuenow={widthOf(column, state)}
      className={styles.resizer}
      data-active={isActive || undefined}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={stop}
      onPointerCancel={stop}
      onKeyDown={onKeyDown}
      onDoubleClick={() => {
        const widths_px = Object.fromEntries(Object.entries(state.widths_px).filter(([id]) => id !== column.id));
        onResize({ ...state, widths_px });
      }}
    />
  );
}
