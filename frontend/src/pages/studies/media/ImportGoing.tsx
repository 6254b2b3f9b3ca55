import { Alert, Group, Progress, Stack, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";

import { isOver, type MediaImport } from "../../../api/media";
import { StateBadge, sentence } from "../../../ui";
import { ReportOfImport } from "./ImportReport";
import { shareOf } from "../../jobs/words";

/** How far an import is, and its report in the end. */
export function ImportGoing({ job, report }: MediaImport) {
  const share = shareOf(job);
  return (
    <Stack gap="md">
      {job.state === "failed" ? (
        <Alert color="red" icon={<IconAlertCircle size={18} />} role="alert" title="The import stopped">
          {sentence(job.message)} What was taken stays; Retry at the job goes on where it stopped.
        </Alert>
      ) : (
        <Group gap="sm" role="status" aria-live="polite" wrap="nowrap">
          <StateBadge state={job.state} />
          <Text size="sm" style={{ flex: 1, overflowWrap: "anywhere" }}>{!report && job.message && sentence(job.message)}</Text>
        </Group>
      )}
      {!isOver(job) && <Progress value={100 * (share ?? 0)} size={6} animated={share === null} aria-label="Imported" />}
      {report && <ReportOfImport report={report} />}
    </Stack>
  );
}
