import { IconArrowDownCircle, IconDeviceFloppy, IconSend2, IconTrash } from "@tabler/icons-react";

import type { Badge } from "../../api/types";
import { useNow } from "../../ui";
import { leavingWords, sentWords } from "./badges";
import styles from "./studies.module.css";

/** What goes on with a study: icon and word, the colour only helps. */
export function BadgeList({ badges }: { badges: readonly Badge[] }) {
  const now = useNow();
  return (
    <span className={styles.badges}>
      {badges.map((badge) => {
        switch (badge.kind) {
          case "leaving":
            return (
              <span key="leaving" className={styles.badge} data-kind="leaving" title="Will be deleted; can still be undone">
                <IconTrash size={14} aria-hidden /> {leavingWords(badge, now)}
              </span>
            );
          case "arriving":
            return (
              <span key="arriving" className={styles.badge} data-kind="arriving" title="Objects are coming in">
                <IconArrowDownCircle size={14} aria-hidden /> arriving
              </span>
            );
          case "session":
            return (
              <span key="session" className={styles.badge} data-kind="session" title="A session of the workstation was saved in it">
                <IconDeviceFloppy size={14} aria-hidden /> session
              </span>
            );
          default:
            return (
              <span key="sent" className={styles.badge} data-kind="sent" title={`Sent to ${badge.peers.join(", ")}`}>
                <IconSend2 size={14} aria-hidden /> {sentWords(badge.peers)}
              </span>
            );
        }
      })}
    </span>
  );
}
