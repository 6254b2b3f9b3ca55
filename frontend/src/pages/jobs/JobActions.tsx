import { Button, Group, Tooltip } from "@mantine/core";
import {
  IconArrowBackUp,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
  type Icon,
} from "@tabler/icons-react";

import { useJobAction, type JobAction } from "../../api/jobs";
import type { Job } from "../../api/types";
import { useSession } from "../../app/session";
import { actionLabel, isUndoable } from "./words";

const ICONS: Record<JobAction, Icon> = {
  cancel: IconPlayerStop,
  pause: IconPlayerPause,
  resume: IconPlayerPlay,
  retry: IconRefresh,
};

const HINTS: Record<JobAction, string> = {
  cancel: "What is done stays done; a cancelled job can be retried",
  pause: "Holds it until it is resumed; nothing is lost",
  resume: "Goes on where it stopped",
  retry: "Only what failed or was not reached is tried again",
};

function iconOf(job: Job, action: JobAction): Icon {
  if (isUndoable(job) && action === "cancel") return IconArrowBackUp;
  if (isUndoable(job) && action === "resume") return IconTrash;
  return ICONS[action];
}

/** What can be done to a job now; nothing for readers. */
export function JobActions({ job }: { job: Job }) {
  const session = useSession();
  const act = useJobAction();
  if (session.role === "reader") return null;
  const offered = job.actions.filter((action) => !(isUndoable(job) && action === "pause"));
  if (offered.length === 0) return null;
  return (
    <Group gap={8}>
      {offered.map((action, index) => {
        const ActionIcon = iconOf(job, action);
        const isDestroying = isUndoable(job) && action === "resume";
        return (
          <Tooltip key={action} label={isUndoable(job) ? undoHint(action) : HINTS[action]} openDelay={400}>
            <Button
                            variant={index === 0 && !isDestroying ? "light" : "default"}
              color={isDestroying ? "red" : undefined}
              leftSection={<ActionIcon size={16} />}
              loading={act.isPending && act.variables.action === action}
              onClick={() => {
                act.mutate({ ids: [job.id], action });
              }}
            >
              {actionLabel(job, action)}
            </Button>
          </Tooltip>
        );
      })}
    </Group>
  );
}

function undoHint(action: JobAction): string {
  return action === "resume" ? "Does not wait for the end of the undo time: it cannot be undone" : "Nothing will be deleted";
}
