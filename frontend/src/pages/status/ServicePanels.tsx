import { Text } from "@mantine/core";
import { IconCircleCheck, IconCircleX } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import type { JobState, Status } from "../../api/types";
import { formatCount, formatDuration, formatInstant, formatLongInstant, StateBadge, useNow } from "../../ui";
import { Facts } from "./Facts";
import { Panel } from "./Panel";
import classes from "./status.module.css";

/** Each state with the list of the jobs page that shows it. */
const STATES: [state: JobState, list: string][] = [
  ["failed", "failed"],
  ["running", "running"],
  ["waiting", "waiting"],
  ["queued", "waiting"],
  ["paused", "waiting"],
  ["done", "done"],
  ["cancelled", "done"],
];

/** Jobs by state; each opens the list of these. */
export function JobsPanel({ jobs }: { jobs: Status["jobs"] }) {
  return (
    <Panel title="Jobs" h="100%">
      <div className={classes.jobs}>
        {STATES.map(([state, list]) => (
          <Link key={state} to={`/jobs?show=${list}`} className={classes.job} data-none={jobs[state] === 0 || undefined}>
            <StateBadge state={state} />
            <Text component="span" className={classes.number} c={jobs[state] === 0 ? "dimmed" : undefined}>
              {formatCount(jobs[state])}
            </Text>
          </Link>
        ))}
      </div>
    </Panel>
  );
}

export function ServicePanel({ status }: { status: Status }) {
  const isUp = status.worker_running;
  const now = useNow();
  return (
    <Panel title="Service">
      <Facts
        rows={[
          ["Version", status.version],
          ["Running since", <time key="since" title={formatLongInstant(status.started_s)}>{formatInstant(status.started_s)}</time>],
          ["Running for", formatDuration(now - status.started_s)],
          [
            "Job worker",
            <span key="worker" style={{ display: "inline-flex", alignItems: "center", gap: 6 }}>
              {isUp ?
                <IconCircleCheck size={16} color="var(--rf-good)" aria-hidden />
              : <IconCircleX size={16} color="var(--rf-bad)" aria-hidden />}
              {isUp ? "running" : "not running: nothing is sent or retrieved"}
            </span>,
          ],
        ]}
      />
    </Panel>
  );
}
