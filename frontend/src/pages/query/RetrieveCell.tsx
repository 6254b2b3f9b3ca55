import { Anchor, Button, Loader } from "@mantine/core";
import { IconAlertCircle, IconCheck, IconClock, IconDownload } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import { useJob } from "../../api/jobs";
import type { Job } from "../../api/types";
import classes from "./query.module.css";

interface RetrieveCellProps {
  jobId: number | undefined;
  mayRetrieve: boolean;
  label: string;
  onRetrieve: () => void;
}

/** Retrieve, and then how that goes. */
export function RetrieveCell({ jobId, mayRetrieve, label, onRetrieve }: RetrieveCellProps) {
  if (jobId !== undefined) return <Going id={jobId} />;
  if (!mayRetrieve) return null;
  return (
    <Button
      size="compact-xs"
      variant="light"
      leftSection={<IconDownload size={14} />}
      classNames={{ section: classes.sign ?? "" }}
      aria-label={label}
      onClick={(event) => {
        event.stopPropagation();
        onRetrieve();
      }}
    >
      <span className={classes.word}>Retrieve</span>
    </Button>
  );
}

function Going({ id }: { id: number }) {
  const job = useJob(id).data;
  return (
    <Anchor
      component={Link}
      to={`/jobs/${String(id)}`}
      size="xs"
      className={classes.going}
      title={job ? [jobWords(job), job.message].filter(Boolean).join(": ") : undefined}
      onClick={(event) => {
        event.stopPropagation();
      }}
    >
      {job ? <JobSign job={job} /> : <Loader size={14} />}
      <span className={`${classes.cut ?? ""} ${classes.word ?? ""}`}>{job ? jobWords(job) : `Job ${String(id)}`}</span>
    </Anchor>
  );
}

function JobSign({ job }: { job: Job }) {
  if (job.state === "done") return <IconCheck size={14} className={classes.whole} aria-hidden />;
  if (job.state === "failed") return <IconAlertCircle size={14} className={classes.bad} aria-hidden />;
  if (job.state === "running") return <Loader size={14} />;
  return <IconClock size={14} aria-hidden />;
}

/** "Retrieving, 120 of 240" while the job says how far it is. */
export function jobWords(job: Job): string {
  switch (job.state) {
    case "done":
      return "Retrieved";
    case "failed":
      return job.sent + job.warned > 0 ? "Failed in part" : "Failed";
    case "cancelled":
      return "Cancelled";
    case "running":
      return job.message || "Retrieving";
    case "waiting":
      return "Tries again soon";
    case "paused":
      return "Paused";
    case "queued":
      return "Queued";
  }
}
