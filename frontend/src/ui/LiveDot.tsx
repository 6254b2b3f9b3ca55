import { Tooltip } from "@mantine/core";
import type { CSSProperties } from "react";

import type { LiveState } from "../api/events";
import styles from "./ui.module.css";

/** Shape and word beside the colour: full, hollow, square. */
const LOOKS: Record<LiveState, { word: string; text: string; color: string; shape?: "hollow" | "square" }> = {
  live: { word: "Live", text: "Changes are shown as they happen.", color: "var(--rf-good)" },
  connecting: { word: "Connecting", text: "Connecting to the service.", color: "var(--rf-quiet)", shape: "hollow" },
  polling: { word: "Every 5 s", text: "Live events do not come; the page asks every 5 s.", color: "var(--rf-warn)", shape: "hollow" },
  offline: { word: "No answer", text: "The service does not answer; the page keeps trying.", color: "var(--rf-bad)", shape: "square" },
};

/** Whether the page is told of changes at once. */
export function LiveDot({ state, withWord }: { state: LiveState; withWord?: boolean }) {
  const { word, text, color, shape } = LOOKS[state];
  return (
    <Tooltip label={text}>
      <span className={styles.live} role="status" aria-label={`${word}: ${text}`}>
        <span
          className={`${styles.dot ?? ""} ${state === "connecting" ? (styles.pulse ?? "") : ""}`}
          style={{ "--dot": color } as CSSProperties}
          data-hollow={shape === "hollow" || undefined}
          data-square={shape === "square" || undefined}
        />
        {withWord && <span>{word}</span>}
      </span>
    </Tooltip>
  );
}
