import { Alert, Anchor, Button, Group, Loader, Progress, Stack, Text } from "@mantine/core";
import { IconAlertCircle, IconDownload } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import { isOver, mediaFile, useMediaExport, type MediaExport, type MediaPlan } from "../../../api/media";
import type { Job } from "../../../api/types";
import { ErrorBox, StateBadge, formatBytes, formatDuration, sentence } from "../../../ui";
import { useClock } from "../../jobs/clock";
import { shareOf } from "../../jobs/words";
import { paceOf } from "./media";

interface ExportProgressProps {
  job: number;
  plan: MediaPlan;
  onClose: () => void;
}

/** The job that writes the media, and then their files. */
export function ExportProgress({ job, plan, onClose }: ExportProgressProps) {
  const { data, error, refetch } = useMediaExport(job);
  if (error && !data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  return (
    <Stack gap="md">
      {data ? <Going job={data.job} size_bytes={plan.size_bytes} /> : <Loader size="sm" />}
      {data && <Files of={data} />}
      <Text size="sm" c="dimmed">
        {isOver(data?.job) ? "It stays under " : "It goes on without this window: "}
        <Anchor component={Link} to={`/jobs/${String(job)}`} onClick={onClose}>job {job}</Anchor>
        .
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>Close</Button>
      </Group>
    </Stack>
  );
}

function Going({ job, size_bytes }: { job: Job; size_bytes: number }) {
  const now_s = useClock(!isOver(job));
  const share = shareOf(job);
  const pace = paceOf(job, size_bytes, now_s);
  if (job.state === "failed") {
    return (
      <Alert color="red" icon={<IconAlertCircle size={18} />} role="alert" title="Nothing was written">
        {sentence(job.message)}
      </Alert>
    );
  }
  return (
    <Stack gap={6}>
      <Group gap="sm" role="status" aria-live="polite">
        <StateBadge state={job.state} />
        <Text size="sm" style={{ flex: 1 }}>{job.message && sentence(job.message)}</Text>
        {pace && (
          <Text size="sm" c="dimmed">{formatBytes(pace.bytes_per_s)}/s, {formatDuration(Math.ceil(pace.left_s))} left</Text>
        )}
      </Group>
      {!isOver(job) && (
        <Progress value={100 * (share ?? 0)} size={6} animated={share === null} aria-label="Written" />
      )}
    </Stack>
  );
}

/** One button for each medium. */
export function Files({ of: { job, files } }: { of: MediaExport }) {
  if (files.length === 0) return null;
  return (
    <Stack gap="xs" align="flex-start">
      {files.map(({ volume, name, size_bytes }) => (
        <Button
          key={volume}
          component="a"
          href={mediaFile(job.id, volume)}
          download={name}
          leftSection={<IconDownload size={16} />}
          variant={files.length === 1 ? "filled" : "light"}
        >
          Download {files.length > 1 ? `medium ${String(volume)} ` : ""}({formatBytes(size_bytes)})
        </Button>
      ))}
    </Stack>
  );
}
