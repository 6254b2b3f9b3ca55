import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { rememberJob } from "../../api/jobs";
import { requestDeletion, takeBackDeletion } from "../../api/studies";
import { capitalized, failed, formatDuration, undoable } from "../../ui";
import type { Chosen } from "./chosen";

/** The notification that offers to take a deletion back, by its job: taken back elsewhere, it must go. */
const offers = new Map<number, string>();

/** Deleting, and taking it back: at once, without a question, as long as it can be undone. */
export function useDeletion() {
  const client = useQueryClient();
  const changed = useCallback(() => client.invalidateQueries({ queryKey: ["studies"] }), [client]);

  const undo = useCallback(
    async (job: number) => {
      rememberJob(client, await takeBackDeletion(job));
      await changed();
    },
    [client, changed],
  );
  const remove = useCallback(
    async (chosen: Chosen) => {
      try {
        const { job, due_s } = await requestDeletion(chosen.selection);
        rememberJob(client, job);
        const seconds = Math.round(due_s - Date.now() / 1000);
        if (seconds > 1) {
          offers.set(job.id, undoable({
            message: `${capitalized(chosen.what)} will be deleted in ${formatDuration(seconds)}.`,
            undo: () => undo(job.id),
            undone: `${capitalized(chosen.what)} will be kept.`,
            seconds,
          }));
        }
        await changed();
      } catch (error) {
        failed(`Could not delete ${chosen.what}`, error);
      }
    },
    [client, changed, undo],
  );
  const keep = useCallback(
    async (job: number) => {
      try {
        await undo(job);
        const offer = offers.get(job);
        if (offer) notifications.hide(offer);
      } catch (error) {
        failed("It could not be taken back", error);
      }
    },
    [undo],
  );
  return { remove, keep };
}
