import { Loader } from "@mantine/core";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, type CSSProperties, type MouseEvent } from "react";

import type { StudySearch, StudySort } from "../../api/studies";
import type { Study } from "../../api/types";
import { ErrorBox } from "../../ui";
import { HeaderRow } from "./HeaderRow";
import { StudyRow, rowId } from "./StudyRow";
import { fitting, template, type ColumnState } from "./columnState";
import { COLUMNS } from "./columns";
import { all, click, none, toggle, type Selected } from "./selection";
import styles from "./studies.module.css";
import { useSteadyScroll } from "./useSteadyScroll";
import { useTableKeys } from "./useTableKeys";

export const ROW_PX = 32;
const HEAD_PX = 30;
const CHECK_PX = 32;
/** Until it was measured. */
const USUAL_PX = 1280;
/** So many rows before the end the next page is read. */
const AHEAD = 80;

interface StudyTableProps {
  studies: readonly Study[];
  isComplete: boolean;
  error: unknown;
  search: StudySearch;
  selected: Selected;
  open: string | null;
  columnState: ColumnState;
  tableRef: React.RefObject<HTMLDivElement | null>;
  onSelect: (selected: Selected) => void;
  onOpen: (uid: string) => void;
  onSort: (sort: StudySort) => void;
  onColumns: (state: ColumnState) => void;
  onView: (first: number, last: number) => void;
  onMore: () => void;
}

export function StudyTable(props: StudyTableProps) {
  const { studies, selected, onSelect, onOpen, onView, onMore, isComplete } = props;
  const { ref: sizeRef, width } = useElementSize();
  const tableRef = useMergedRef(props.tableRef, sizeRef);
  const order = useMemo(() => studies.map((study) => study.StudyInstanceUID), [studies]);
  const room_px = (width || USUAL_PX) - CHECK_PX;
  const columns = useMemo(() => fitting(COLUMNS, props.columnState, room_px), [props.columnState, room_px]);
  const rows = useVirtualizer({
    count: studies.length,
    getScrollElement: () => props.tableRef.current,
    estimateSize: () => ROW_PX,
    overscan: 16,
    scrollMargin: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
    initialRect: { width: USUAL_PX, height: 720 },
  });
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const onScroll = useSteadyScroll(props.tableRef, studies, props.search);

  useEffect(() => {
    onView(first, last);
    if (!isComplete && props.error === null && studies.length > 0 && last >= studies.length - AHEAD) onMore();
  }, [first, last, studies, isComplete, props.error, onView, onMore]);

  const state = useRef({ selected, order });
  useEffect(() => {
    state.current = { selected, order };
  });
  const onClick = useCallback(
    (uid: string, event: MouseEvent) => {
      const held = { ctrl: event.ctrlKey || event.metaKey, shift: event.shiftKey };
      onSelect(click(state.current.selected, state.current.order, uid, held));
      if (!held.ctrl && !held.shift) onOpen(uid);
    },
    [onSelect, onOpen],
  );
  const onToggle = useCallback((uid: string) => { onSelect(toggle(state.current.selected, uid)); }, [onSelect]);

  const onChooseAll = useCallback(() => {
    const { selected: now, order: known } = state.current;
    onSelect(now.chosen.size >= known.length ? none(now) : all(now, known));
  }, [onSelect]);

  const onKeyDown = useTableKeys({
    selected,
    order,
    onSelect,
    onOpen,
    rowsInView: () => Math.floor(((props.tableRef.current?.clientHeight ?? 600) - HEAD_PX) / ROW_PX) - 1,
    onShow: (index) => { rows.scrollToIndex(index); },
  });

  const chosenCount = selected.chosen.size;
  const chosen = chosenCount === 0 ? "none" : chosenCount >= order.length ? "all" : "some";
  const gridColumns = `${String(CHECK_PX)}px ${template(columns, props.columnState, room_px)}`;
  return (
    <div
      ref={tableRef}
      role="grid"
      aria-label="Studies"
      aria-multiselectable
      aria-rowcount={isComplete ? studies.length + 1 : -1}
      aria-activedescendant={selected.active ? rowId(selected.active) : undefined}
      tabIndex={0}
      className={styles.table}
      style={{ "--columns": gridColumns } as CSSProperties}
      onKeyDown={onKeyDown}
      onScroll={onScroll}
    >
      <HeaderRow
        columns={columns}
        state={props.columnState}
        search={props.search}
        chosen={chosen}
        onSort={props.onSort}
        onResize={props.onColumns}
        onChooseAll={onChooseAll}
      />
      <div
        className={styles.body}
        role="rowgroup"
        style={{ height: studies.length * ROW_PX + (isComplete ? 8 : 48) }}
        onMouseDown={(event) => { if (event.shiftKey) event.preventDefault(); }}
      >
        {items.map((item) => {
          const study = studies[item.index];
          if (!study) return null;
          const uid = study.StudyInstanceUID;
          return (
            <StudyRow
              key={uid}
              study={study}
              columns={columns}
              top_px={item.start - HEAD_PX}
              index={item.index}
              isChosen={selected.chosen.has(uid)}
              isActive={selected.active === uid}
              isOpen={props.open === uid}
              onClick={onClick}
              onOpen={onOpen}
              onToggle={onToggle}
            />
          );
        })}
        {!isComplete && <Foot top_px={studies.length * ROW_PX} error={props.error} onMore={onMore} />}
      </div>
    </div>
  );
}

/** Below the last row that was read. */
function Foot({ top_px, error, onMore }: { top_px: number; error: unknown; onMore: () => void }) {
  return (
    <div className={styles.foot} style={{ transform: `translateY(${String(top_px)}px)` }}>
      {error === null ? (
        <>
          <Loader size={14} /> Reading more …
        </>
      ) : (
        <ErrorBox error={error} onRetry={onMore} />
      )}
    </div>
  );
}
