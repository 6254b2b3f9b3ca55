/** A disc, a stick or a folder of the server, brought into the archive by a job that goes on by itself. */
import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconDatabaseImport } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router-dom";

import { rememberJob } from "../../../api/jobs";
import { isOver, submitMediaImport, useMediaImport, type MediaPlace } from "../../../api/media";
import { ErrorBox } from "../../../ui";
import { ImportGoing } from "./ImportGoing";
import { ServerFolder, type Where } from "./ServerFolder";

interface ImportMediaFormProps {
  /** "" is the first. */
  database: string;
  onClose: () => void;
}

export function ImportMediaForm({ database, onClose }: ImportMediaFormProps) {
  const client = useQueryClient();
  const [where, setWhere] = useState<Where | null>(null);
  const [place, setPlace] = useState<MediaPlace | null>(null);
  const [job, setJob] = useState<number | null>(null);
  const taking = useMutation({
    mutationFn: (from: Where) => submitMediaImport({ ...from, ...(database && { database }) }),
    onSuccess: (made) => {
      rememberJob(client, made);
      setJob(made.id);
    },
  });
  if (job !== null) return <Going job={job} onClose={onClose} />;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (where) taking.mutate(where); }}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          Everything in the folder and below it: discs with a DICOMDIR, loose files, zip files, disc images. What is in the
          files counts, whatever a DICOMDIR says of them.
        </Text>
        <ServerFolder use="import" where={where} onWhere={(to, picked) => { setWhere(to); setPlace(picked); }} />
        {taking.error && <ErrorBox error={taking.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" leftSection={<IconDatabaseImport size={16} />} disabled={!where} loading={taking.isPending}>
            {wordsOf(where, place)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function wordsOf(where: Where | null, place: MediaPlace | null): string {
  if (!where) return "Import";
  return place && place.kind !== "folder" ? "Import this file" : "Import this folder";
}

function Going({ job, onClose }: { job: number; onClose: () => void }) {
  const { data, error, refetch } = useMediaImport(job);
  if (error && !data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  return (
    <Stack gap="md">
      {data && <ImportGoing {...data} />}
      <Text size="sm" c="dimmed">
        {isOver(data?.job) ? "It stays under " : "It goes on without this window, and after a restart of the service: "}
        <Anchor component={Link} to={`/jobs/${String(job)}`} onClick={onClose}>job {job}</Anchor>.
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>Close</Button>
      </Group>
    </Stack>
  );
}
