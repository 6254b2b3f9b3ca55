import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { Button, UnstyledButton } from "@mantine/core";

import type { UploadedFile } from "../api/types";
import { formatCount, sentence } from "../ui";
import { byReason, type Reason } from "./reasons";
import styles from "./uploads.module.css";

interface UploadResultsProps {
  results: readonly UploadedFile[];
  /** More than were kept to be shown, perhaps. */
  count: number;
}

/** What was not taken, by reason: a thousand files are most often refused for one. */
export function UploadResults({ results, count }: UploadResultsProps) {
  const [isOpen, setOpen] = useState(false);
  const reasons = useMemo(() => byReason(results), [results]);
  if (results.length === 0) return null;
  return (
    <div>
      <Button size="compact-sm" variant="subtle" aria-expanded={isOpen} onClick={() => { setOpen(!isOpen); }}>
        {isOpen ? "Hide" : "Show"} what was not taken
      </Button>
      {isOpen && (
        <div className={styles.reasons}>
          {reasons.map((reason) => (
            <ReasonFiles key={`${reason.state} ${reason.text}`} reason={reason} />
          ))}
          {count > results.length && <p>… and {formatCount(count - results.length)} more.</p>}
        </div>
      )}
    </div>
  );
}

function ReasonFiles({ reason }: { reason: Reason }) {
  const [isOpen, setOpen] = useState(reason.files.length === 1);
  return (
    <div className={styles.reason} data-state={reason.state}>
      <UnstyledButton className={styles.reasonHead} aria-expanded={isOpen} onClick={() => { setOpen(!isOpen); }}>
        <b>{formatCount(reason.files.length)} ×</b> {sentence(reason.text)}
      </UnstyledButton>
      {isOpen && <FileNames names={reason.files} />}
    </div>
  );
}

const LINE_PX = 20;

function FileNames({ names }: { names: readonly string[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useVirtualizer({
    count: names.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 5,
    initialRect: { width: 300, height: 120 },
  });
  return (
    <div ref={scroller} className={styles.names}>
      <div style={{ height: lines.getTotalSize(), position: "relative" }}>
        {lines.getVirtualItems().map((line) => (
          <div key={line.key} className={styles.fileName} style={{ transform: `translateY(${String(line.start)}px)` }}>
            <bdi title={names[line.index]}>{names[line.index]}</bdi>
          </div>
        ))}
      </div>
    </div>
  );
}
