import { Anchor, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { Link } from "react-router-dom";

import type { Job } from "../../api/types";

/** Says what was begun, and leads to it. */
export function tellOfJob(job: Job, message: string): void {
  const id = notifications.show({
    message: (
      <Group gap="md" justify="space-between" wrap="nowrap">
        <span>{message}</span>
        <Anchor component={Link} to={`/jobs/${String(job.id)}`} onClick={() => { notifications.hide(id); }}>
          Show the job
        </Anchor>
      </Group>
    ),
    autoClose: 8000,
  });
}
