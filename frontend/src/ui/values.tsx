/** Values of patients and studies, the exact form on hover. */
import { Tooltip, UnstyledButton } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";

import {
  LONGEST_MONTH,
  dateParts,
  formatAgo,
  formatDate,
  formatLongDate,
  formatLongInstant,
  nameParts,
  shortUid,
} from "./format";
import styles from "./ui.module.css";
import { useNow } from "./useNow";

/** Letters are narrower than figures, but for "May". */
const MONTH = { minWidth: `${String(LONGEST_MONTH > 2 ? Math.max(3.2, LONGEST_MONTH * 0.9) : LONGEST_MONTH)}ch` };

/** "4 min ago", kept true; the exact instant with its weekday on hover. */
export function When({ seconds }: { seconds: number | null | undefined }) {
  const now = useNow();
  if (seconds === null || seconds === undefined) return null;
  return (
    <time dateTime={new Date(seconds * 1000).toISOString()} title={formatLongInstant(seconds)}>
      {formatAgo(seconds, now)}
    </time>
  );
}

/** A date as in an object ("20260315"); the weekday on hover. In a column each year stands below the others. */
export function DicomDate({ value, isTabular }: { value: string; isTabular?: boolean }) {
  if (!value) return null;
  const parts = dateParts(value);
  // What is no date is shown as it came.
  if (!parts) return <span>{value}</span>;
  const [before, month, after] = parts;
  return (
    <time title={formatLongDate(value)}>
      {isTabular ? (
        <>
          {before}
          <span className={styles.month} style={MONTH}>
            {month}
          </span>
          {after}
        </>
      ) : (
        formatDate(value)
      )}
    </time>
  );
}

/** A name as in an object ("DOE^JANE"), other scripts behind it; all of it on hover. */
export function PersonName({ value }: { value: string }) {
  const { main, titles, others } = nameParts(value);
  if (!main) return <span className={styles.other}>no name</span>;
  return (
    <span title={[main, titles, ...others].filter(Boolean).join(" · ")}>
      <bdi>{main}</bdi>
      {others[0] && (
        <>
          {" "}
          <bdi className={styles.other}>{others[0]}</bdi>
        </>
      )}
    </span>
  );
}

/** A UID, shortened in its middle; a click copies all of it. */
export function Uid({ value, length }: { value: string; length?: number }) {
  const clipboard = useClipboard({ timeout: 1200 });
  if (!value) return null;
  return (
    <Tooltip label={clipboard.copied ? "Copied" : `${value} (click copies)`} maw={520}>
      <UnstyledButton
        className={styles.uid}
        aria-label={`Copy ${value}`}
        onClick={(event) => {
          event.stopPropagation();
          clipboard.copy(value);
        }}
      >
        {shortUid(value, length)}
      </UnstyledButton>
    </Tooltip>
  );
}
