import { Button, Group, Modal, Select, Stack, Tabs, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconUserOff } from "@tabler/icons-react";
import { useState } from "react";

import { submitAnonymization } from "../../../api/anonymizations";
import { rememberJob } from "../../../api/jobs";
import { usePeers } from "../../../api/peers";
import { useSession } from "../../../app/session";
import { ErrorBox } from "../../../ui";
import { ChosenWords } from "../ChosenWords";
import type { Chosen } from "../chosen";
import { tellOfJob } from "../tellOfJob";
import { OptionFields } from "./OptionFields";
import { PreviewTab } from "./PreviewTab";
import styles from "./anonymize.module.css";
import { namesOf, PRESETS, type Choice } from "./options";

export function AnonymizeDialog({ chosen, onClose }: { chosen: Chosen | null; onClose: () => void }) {
  return (
    <Modal opened={chosen !== null} onClose={onClose} title="Anonymize" size={720}>
      {chosen && <AnonymizeForm chosen={chosen} onClose={onClose} />}
    </Modal>
  );
}

type Destination = { peer: string } | { into: string };

function AnonymizeForm({ chosen, onClose }: { chosen: Chosen; onClose: () => void }) {
  const client = useQueryClient();
  const [choice, setChoice] = useState<Choice>(PRESETS[0]);
  const [where, setWhere] = useState<string | null>(null);
  const running = useMutation({
    mutationFn: (to: Destination) => submitAnonymization({ ...chosen.selection, options: namesOf(choice), ...to }),
    onSuccess: (job, to) => {
      rememberJob(client, job);
      tellOfJob(job, `Anonymizing ${chosen.what} ${"peer" in to ? `for ${to.peer}` : `into ${to.into}`}.`);
      onClose();
    },
  });
  const to = destinationOf(where);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (to) running.mutate(to);
      }}
    >
      <Stack gap="md">
        <ChosenWords chosen={chosen} />
        <Tabs defaultValue="options">
          <Tabs.List>
            <Tabs.Tab value="options">Options</Tabs.Tab>
            <Tabs.Tab value="preview">Preview</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="options" className={styles.tab}>
            <OptionFields choice={choice} onChange={setChoice} />
          </Tabs.Panel>
          <Tabs.Panel value="preview" className={styles.tab}>
            <PreviewTab chosen={chosen} choice={choice} />
          </Tabs.Panel>
        </Tabs>
        <Where of={chosen.selection.database} value={where} onChange={setWhere} />
        {running.error && <ErrorBox error={running.error} />}
        <Group justify="space-between" gap="sm">
          <Text c="dimmed" size="sm">The originals stay as they are.</Text>
          <Group gap="sm">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" leftSection={<IconUserOff size={16} />} disabled={!to} loading={running.isPending}>
              Anonymize
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

interface WhereProps {
  /** The database of the originals: copies do not belong among them. */
  of: string | undefined;
  value: string | null;
  onChange: (where: string | null) => void;
}

/** Peers and databases are one list: where the copies go. */
function Where({ of, value, onChange }: WhereProps) {
  const { databases } = useSession();
  const { data: peers, error, refetch } = usePeers();
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  const others = databases.filter((name) => name !== (of ?? databases[0]));
  const named = (kind: string, names: string[]) => names.map((name) => ({ value: `${kind}:${name}`, label: name }));
  const data = [
    { group: "Send to a peer", items: named("peer", (peers ?? []).filter((peer) => peer.send).map((peer) => peer.name)) },
    { group: "Keep in a database of this node", items: named("into", others) },
  ].filter(({ items }) => items.length > 0);
  return (
    <Select
      label="Where the copies go"
      placeholder={peers ? "Pick a peer or a database" : "Reading the peers …"}
      description={peers && data.length === 0 ? "There is no peer that may be sent to, and no second database." : undefined}
      data={data}
      value={value}
      onChange={onChange}
      searchable
      openOnFocus={false}
      nothingFoundMessage="Nothing of this name"
    />
  );
}

function destinationOf(where: string | null): Destination | null {
  if (where === null) return null;
  const [kind, name] = [where.slice(0, where.indexOf(":")), where.slice(where.indexOf(":") + 1)];
  return kind === "peer" ? { peer: name } : { into: name };
}
