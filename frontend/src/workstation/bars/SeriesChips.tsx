import { Loader } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { CSSProperties } from "react";

import type { View } from "../../api/workstation";
import { modalityOf } from "../../ui";
import { viewsOf } from "../model/document";
import { useKnownSeries } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { progressWords, seriesWords } from "../model/words";
import { SeriesMenu } from "../panels/SeriesPanel";
import styles from "./bars.module.css";

const SLOT_WORDS = { base: "base", overlay: "overlay", prior: "prior" } as const;
type Slot = keyof typeof SLOT_WORDS;

/** All open series, in the colours of their modalities. */
export function SeriesChips() {
  const doc = useWorkspace((state) => state.doc);
  return (
    <ul className={styles.chips} aria-label="Open series">
      {viewsOf(doc).map((view) => {
        const slot = (Object.keys(SLOT_WORDS) as Slot[]).find((each) => doc[each]?.series === view.series) ?? null;
        return <Chip key={view.series} view={view} slot={slot} />;
      })}
    </ul>
  );
}

function Chip({ view, slot }: { view: View; slot: Slot | null }) {
  const known = useKnownSeries(view.series);
  const loading = useWorkspace((state) => state.loading[view.series]);
  const isReading = useWorkspace((state) => slot !== null && !state.facts[view.series] && !state.problems[view.series]);
  const problem = useWorkspace((state) => state.problems[view.series]);
  const words = seriesWords(known);
  return (
    <li
      className={styles.chip}
      data-slot={slot ?? undefined}
      style={{ "--modality": modalityOf(known.Modality).color } as CSSProperties}
      title={problem?.sentence ?? `${known.Modality} ${words}${slot ? `, ${SLOT_WORDS[slot]}` : ", not shown"}`}
    >
      <b>{known.Modality || "?"}</b>
      <span className={styles.chipWords}>{words}</span>
      {loading && <span className={styles.quiet}>{progressWords(loading)}</span>}
      {isReading && <Loader size={11} color="gray" />}
      {problem && <IconAlertTriangle size={13} className={styles.bad} aria-label="It has a problem" />}
      <SeriesMenu view={view} slot={slot} />
      {loading && loading.total > 0 && (
        <span className={styles.chipBar} style={{ width: `${String((100 * loading.loaded) / loading.total)}%` }} />
      )}
    </li>
  );
}
