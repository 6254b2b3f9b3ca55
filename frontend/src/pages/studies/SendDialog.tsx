import { Button, Group, Modal, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconLock, IconSend } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router-dom";

import { rememberJob, submitSend } from "../../api/jobs";
import { usePeers } from "../../api/peers";
import type { PeerInfo } from "../../api/types";
import { ErrorBox } from "../../ui";
import { ChosenWords } from "./ChosenWords";
import type { Chosen } from "./chosen";
import { tellOfJob } from "./tellOfJob";

/** As the job queue counts: 1 goes first, 9 last. */
const PRIORITIES = [
  { label: "Before others", value: "2" },
  { label: "Normal", value: "5" },
  { label: "After others", value: "8" },
];

/** The peer of the last time is most often that of the next. */
let lastPeer = "";

export function SendDialog({ chosen, onClose }: { chosen: Chosen | null; onClose: () => void }) {
  return (
    <Modal opened={chosen !== null} onClose={onClose} title="Send to a peer" size={480}>
      {chosen && <SendForm chosen={chosen} onClose={onClose} />}
    </Modal>
  );
}

function SendForm({ chosen, onClose }: { chosen: Chosen; onClose: () => void }) {
  const client = useQueryClient();
  const { data: all, error, refetch } = usePeers();
  const peers = (all ?? []).filter((peer) => peer.send);
  const [picked, setPicked] = useState<string | null>(lastPeer || null);
  const [priority, setPriority] = useState("5");
  const peer = peers.find((each) => each.name === picked) ?? (peers.length === 1 ? peers[0] : undefined);
  const sending = useMutation({
    mutationFn: (to: string) => submitSend({ ...chosen.selection, peer: to, priority: Number(priority) }),
    onSuccess: (job, to) => {
      lastPeer = to;
      rememberJob(client, job);
      tellOfJob(job, `Sending ${chosen.what} to ${to}.`);
      onClose();
    },
  });

  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (all && peers.length === 0) return <NoPeers onClose={onClose} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (peer) sending.mutate(peer.name);
      }}
    >
      <Stack gap="md">
        <ChosenWords chosen={chosen} />
        <Select
          label="To"
          placeholder={all ? "Pick a peer" : "Reading the peers …"}
          data={peers.map((each) => ({ value: each.name, label: each.name }))}
          value={peer?.name ?? null}
          onChange={setPicked}
          description={peer && addressOf(peer)}
          leftSection={peer?.tls ? <IconLock size={14} aria-label="Encrypted by TLS" /> : undefined}
          searchable
          openOnFocus={false}
          data-autofocus={!peer || undefined}
          nothingFoundMessage="No peer of this name that may be sent to"
        />
        <div>
          <Text size="sm" fw={500} mb={4}>
            When
          </Text>
          <SegmentedControl fullWidth value={priority} onChange={setPriority} data={PRIORITIES} aria-label="When" />
        </div>
        {sending.error && <ErrorBox error={sending.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            leftSection={<IconSend size={16} />}
            disabled={!peer}
            loading={sending.isPending}
            data-autofocus={peer ? true : undefined}
          >
            {peer ? `Send to ${peer.name}` : "Send"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function addressOf(peer: PeerInfo): string {
  const address = `${peer.ae_title} at ${peer.host}:${String(peer.port)}`;
  return peer.tls ? `${address}, encrypted by TLS` : `${address}, not encrypted`;
}

function NoPeers({ onClose }: { onClose: () => void }) {
  return (
    <Stack gap="md">
      <Text>There is no peer that may be sent to. Add one, or allow sending to one that is there.</Text>
      <Group justify="flex-end">
        <Button component={Link} to="/peers" onClick={onClose}>
          Go to Peers
        </Button>
      </Group>
    </Stack>
  );
}
