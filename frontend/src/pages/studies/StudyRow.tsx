import { memo, type MouseEvent } from "react";

import type { Study } from "../../api/types";
import { leavingOf } from "./badges";
import type { Column } from "./columns";
import styles from "./studies.module.css";

interface StudyRowProps {
  study: Study;
  columns: readonly Column[];
  top_px: number;
  index: number;
  isChosen: boolean;
  isActive: boolean;
  isOpen: boolean;
  onClick: (uid: string, event: MouseEvent) => void;
  onOpen: (uid: string) => void;
  onToggle: (uid: string) => void;
}

export function rowId(uid: string): string {
  return `study-${uid}`;
}

export const StudyRow = memo(function StudyRow(props: StudyRowProps) {
  const { study, columns, isChosen } = props;
  const uid = study.StudyInstanceUID;
  return (
    <div
      id={rowId(uid)}
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={isChosen}
      className={styles.row}
      data-active={props.isActive || undefined}
      data-open={props.isOpen || undefined}
      data-leaving={leavingOf(study.badges) !== undefined || undefined}
      style={{ transform: `translateY(${String(props.top_px)}px)` }}
      onClick={(event) => { props.onClick(uid, event); }}
      onDoubleClick={() => { props.onOpen(uid); }}
    >
      <div role="gridcell" className={styles.check} onClick={(event) => { event.stopPropagation(); }}>
        {/* The browser's own: a hundred rows a second come into view. */}
        <input
          type="checkbox"
          className={styles.checkbox}
          tabIndex={-1}
          aria-label="Select"
          checked={isChosen}
          onChange={() => { props.onToggle(uid); }}
        />
      </div>
      {columns.map((column) => (
        <div
          key={column.id}
          role="gridcell"
          className={styles.cell}
          data-column={column.id}
          data-number={column.isNumber || undefined}
        >
          {column.cell(study)}
        </div>
      ))}
    </div>
  );
});
