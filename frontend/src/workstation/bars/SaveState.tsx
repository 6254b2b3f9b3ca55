import { Button } from "@mantine/core";
import { IconAlertTriangle, IconCloudCheck, IconCloudOff, IconCloudUp, type Icon } from "@tabler/icons-react";

import { useNow } from "../../ui";
import { formatAgo } from "../../ui/format";
import { keep } from "../model/drafts";
import type { DraftStatus } from "../model/state";
import { useWorkspace } from "../model/store";
import type { Tone } from "../model/words";
import styles from "./bars.module.css";
import { openConflict } from "./conflict";

interface Look {
  icon: Icon;
  tone: Tone;
  words: string;
  title: string;
}

/** Whether what was done is kept. */
export function lookOf(draft: DraftStatus, now_s: number): Look {
  if (draft.conflict) {
    const title = "Somebody else has changed this workspace since you opened it. Both versions are kept.";
    return { icon: IconAlertTriangle, tone: "warn", words: "Changed by someone else", title };
  }
  if (draft.refusal) return { icon: IconAlertTriangle, tone: "bad", words: "Not kept", title: draft.refusal };
  if (draft.is_offline) {
    const title = "Radfuse does not answer. Go on: it is kept here, and sent as soon as there is an answer. Leave this page open.";
    return { icon: IconCloudOff, tone: "warn", words: "Not kept yet: no answer", title };
  }
  if (draft.is_dirty || draft.is_saving) return { icon: IconCloudUp, tone: "quiet", words: "Keeping …", title: "" };
  const words = draft.saved_s === null ? "Nothing to keep" : `Draft kept ${formatAgo(Math.min(draft.saved_s, now_s), now_s)}`;
  return { icon: IconCloudCheck, tone: "quiet", words, title: "Every change is kept as a draft at the service." };
}

export function SaveState() {
  const draft = useWorkspace((state) => state.draft);
  const now_s = useNow();
  const { icon: Sign, tone, words, title } = lookOf(draft, now_s);
  return (
    <span className={styles.save} data-tone={tone} title={title} role="status">
      <Sign size={15} aria-hidden />
      <span className={styles.words}>{words}</span>
      {draft.conflict && <Button size="compact-xs" variant="light" color="orange" onClick={openConflict}>Decide …</Button>}
      {draft.is_offline && <Button size="compact-xs" variant="default" onClick={() => void keep()}>Try now</Button>}
    </span>
  );
}
