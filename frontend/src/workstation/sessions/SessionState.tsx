import { Button, Tooltip } from "@mantine/core";
import { IconDeviceFloppy } from "@tabler/icons-react";

import { hasRole, useSession } from "../../app/session";
import { useNow } from "../../ui";
import { formatAgo } from "../../ui/format";
import { useWorkspace } from "../model/store";
import styles from "./sessions.module.css";
import { openSave } from "./SaveSession";
import { savedOf, useSaved, workWords, type Saved } from "./work";

function wordsOf(saved: Saved | null, work: string, now_s: number): string {
  if (saved?.version === 0) return "As in the session";
  if (saved) return `Session v${String(saved.version)} saved ${formatAgo(Math.min(saved.at_s, now_s), now_s)}`;
  return work ? "Not in a session" : "";
}

/** Whether the work is in a session, and the button that puts it there. */
export function SessionState() {
  const id = useWorkspace((state) => state.id);
  const doc = useWorkspace((state) => state.doc);
  const saved = savedOf(useSaved((state) => state.saved), id, doc);
  const now_s = useNow();
  const work = workWords(doc);
  const canSave = hasRole(useSession(), "operator");
  const words = wordsOf(saved, work, now_s);
  return (
    <>
      {words && <span className={styles.state} title={saved ? `“${saved.name}”` : work}>{words}</span>}
      <Tooltip label={canSave ? "Keep it as standard objects (Ctrl+S)" : "Saving a session needs an operator; your draft is kept"}>
        <Button
          size="compact-sm" variant={work && !saved ? "light" : "default"} leftSection={<IconDeviceFloppy size={15} />}
          data-disabled={!canSave || undefined} aria-disabled={!canSave}
          onClick={() => { if (canSave) openSave(); }}
        >
          Save session
        </Button>
      </Tooltip>
    </>
  );
}
