import { ActionIcon, Alert, Anchor, Skeleton, Title } from "@mantine/core";
import { IconAlertCircle, IconInfoCircle, IconX } from "@tabler/icons-react";
import { lazy, Suspense, type ReactNode } from "react";
import { Link } from "react-router-dom";

import { rateOf, totalOf, useJob } from "../../api/jobs";
import type { Job } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { ErrorBox, formatDuration, formatInstant, StateBadge } from "../../ui";
import { useClock } from "./clock";
import { JobActions } from "./JobActions";
import { JobItems } from "./JobItems";
import classes from "./jobs.module.css";
import { JobProgress } from "./JobProgress";
import { rateText } from "./JobRow";
import { attemptText, isTrouble, kindLabel, progressText, storyOf } from "./words";

/** Read with the first such job. */
const MediaOfJob = lazy(async () => ({ default: (await import("../studies/media/parts")).MediaOfJob }));
const OF_MEDIA = ["export media", "import media"];

/** Everything about one job: facts, what can be done, each instance. */
export function JobDetail({ id, onClose }: { id: number; onClose: () => void }) {
  const query = useJob(id);
  const job = query.data;
  return (
    <aside className={classes.detail} aria-label={`Job ${String(id)}`}>
      <header className={classes.detailHead}>
        <div className={classes.detailTitle}>
          <Title order={2} size="h4">
            {job?.title ?? `Job ${String(id)}`}
          </Title>
          {job && <StateBadge state={job.state} />}
        </div>
        <ActionIcon variant="subtle" color="gray" aria-label="Close (Esc)" onClick={onClose}>
          <IconX size={18} />
        </ActionIcon>
      </header>
      {query.isError && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton h={160} />}
      {job && <Opened key={job.id} job={job} />}
    </aside>
  );
}

function Opened({ job }: { job: Job }) {
  const now_s = useClock(job.state === "running" || job.state === "waiting");
  const story = storyOf(job, now_s);
  const isBad = isTrouble(job);
  const hasMedia = hasRole(useSession(), "operator") && OF_MEDIA.includes(job.kind);
  return (
    <>
      <JobActions job={job} />
      {story && (
        <Alert
          color={job.state === "failed" ? "red" : isBad ? "yellow" : "gray"}
          icon={isBad ? <IconAlertCircle size={18} /> : <IconInfoCircle size={18} />}
          p={8}
          role={job.state === "failed" ? "alert" : "status"}
        >
          {story}
        </Alert>
      )}
      {hasMedia && <Suspense><MediaOfJob job={job} /></Suspense>}
      {totalOf(job) > 0 && <JobProgress job={job} height={8} />}
      <dl className={classes.facts}>
        {factsOf(job, now_s).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {totalOf(job) > 0 && <JobItems job={job} />}
    </>
  );
}

function factsOf(job: Job, now_s: number): [string, ReactNode][] {
  const rate = rateOf(job, now_s);
  const facts: [string, ReactNode][] = [
    ["Job", `#${String(job.id)} · ${kindLabel(job.kind)}`],
    ["Progress", progressText(job)],
    ["Speed", rate ? `${rateText(rate.per_s)}, ${formatDuration(rate.left_s)} left` : ""],
    ["Peer", job.peer && <PeerLink name={job.peer} />],
    ["Attempt", attemptText(job)],
    ["Priority", job.priority === 5 ? "" : `${String(job.priority)} (1 is first, 9 last)`],
    ["Asked for", formatInstant(job.created_s)],
    ["Started", job.started_s === null ? "" : formatInstant(job.started_s)],
    ["Ended", endOf(job)],
  ];
  return facts.filter(([, value]) => value !== "");
}

function endOf(job: Job): string {
  if (job.finished_s === null) return "";
  const took = job.started_s === null ? "" : `, after ${formatDuration(job.finished_s - job.started_s)}`;
  return formatInstant(job.finished_s) + took;
}

function PeerLink({ name }: { name: string }) {
  return (
    <Anchor component={Link} to={`/peers?peer=${encodeURIComponent(name)}`} size="sm">
      {name}
    </Anchor>
  );
}
