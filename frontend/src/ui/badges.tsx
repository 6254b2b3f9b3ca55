import type { CSSProperties } from "react";

import type { JobState } from "../api/types";
import { modalityOf } from "./modalities";
import { STATES } from "./states";
import styles from "./ui.module.css";

/** The state of a job: colour, icon and word. */
export function StateBadge({ state }: { state: JobState }) {
  const { word, color, icon: Icon } = STATES[state];
  return (
    <span className={styles.state} style={{ color }}>
      <Icon size={16} stroke={1.8} aria-hidden />
      {word}
    </span>
  );
}

/** A modality, in the colour it has everywhere. */
export function ModalityBadge({ modality }: { modality: string }) {
  const { name, color } = modalityOf(modality);
  return (
    <span className={styles.modality} style={{ "--modality": color } as CSSProperties} title={name}>
      {modality || "–"}
    </span>
  );
}
