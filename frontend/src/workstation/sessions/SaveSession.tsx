/** A draft becomes a session: standard objects in the archive, and at peers if one likes. */
import { Button, Group, List, MultiSelect, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { usePeers } from "../../api/peers";
import { saveSession, sessionKeys } from "../../api/sessions";
import type { SavedSession } from "../../api/workstation";
import { ErrorBox } from "../../ui";
import { formatCounted } from "../../ui/format";
import { keepNow } from "../model/drafts";
import { useWorkspace } from "../model/store";
import { useSaved, workWords } from "./work";

/** `onSaved`: what follows, where somebody saves to leave. */
export function openSave(onSaved?: () => void): void {
  if (!useWorkspace.getState().doc.base) {
    notifications.show({ message: "There is nothing to save yet: open a series first.", autoClose: 3000 });
    return;
  }
  const id = modals.open({
    title: "Save session",
    children: <SaveForm close={() => { modals.close(id); }} onSaved={onSaved} />,
  });
}

interface Wanted {
  name: string;
  note: string;
  peers: string[];
}

/** The draft first: a session is made of what the service has. */
async function save({ name, note, peers }: Wanted): Promise<SavedSession> {
  await keepNow();
  const { id, database, draft, doc } = useWorkspace.getState();
  if (draft.conflict) throw new Error("Somebody else has changed this workspace: decide which version goes on first.");
  if (draft.is_dirty) throw new Error(draft.refusal || "Radfuse does not answer. Your draft stays here: try again in a moment.");
  const { revision } = useWorkspace.getState();
  const saved = await saveSession(id, { name: name.trim(), note: note.trim(), peers, revision }, database);
  useSaved.setState({ saved: { workspace: id, name: name.trim(), note, version: saved.version, at_s: Date.now() / 1000, doc } });
  return saved;
}

function SaveForm({ close, onSaved }: { close: () => void; onSaved: (() => void) | undefined }) {
  const client = useQueryClient();
  const last = useSaved((state) => state.saved);
  const workspace = useWorkspace((state) => state.id);
  const title = useWorkspace((state) => state.title);
  const doc = useWorkspace((state) => state.doc);
  const before = last?.workspace === workspace ? last : null;
  const [wanted, setWanted] = useState<Wanted>({ name: before?.name ?? (title || "Reading"), note: before?.note ?? "", peers: [] });
  const { data: peers } = usePeers();
  const known = (peers ?? []).filter((peer) => peer.send).map((peer) => peer.name);
  const saving = useMutation({
    mutationFn: save,
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: sessionKeys.all });
      close();
      tell(saved, wanted);
      onSaved?.();
    },
  });
  const change = (part: Partial<Wanted>) => { setWanted((old) => ({ ...old, ...part })); };
  return (
    <form onSubmit={(event) => { event.preventDefault(); saving.mutate(wanted); }}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {workWords(doc) || "The view"} and how it is looked at are kept in the study as standard objects, which other
          systems open as well. Saved again, it is the next version.
        </Text>
        <TextInput
          label="Name" value={wanted.name} maxLength={64} required data-autofocus
          onChange={(event) => { change({ name: event.currentTarget.value }); }}
        />
        <Textarea
          label="Note" value={wanted.note} maxLength={800} rows={3}
          onChange={(event) => { change({ note: event.currentTarget.value }); }}
        />
        {known.length > 0 && (
          <MultiSelect
            label="Also send to" data={known} value={wanted.peers} clearable
            onChange={(chosen) => { change({ peers: chosen }); }}
          />
        )}
        {saving.error && <ErrorBox error={saving.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={saving.isPending} disabled={!wanted.name.trim()}>Save session</Button>
        </Group>
      </Stack>
    </form>
  );
}

function tell({ version, objects, notes }: SavedSession, { name, peers }: Wanted): void {
  notifications.show({
    title: `Session “${name.trim()}” saved`,
    autoClose: notes.length ? 12_000 : 5000,
    message: (
      <>
        Version {version}, {formatCounted(objects.length, "object")}
        {peers.length > 0 && `, on the way to ${peers.join(", ")}`}.
        {notes.length > 0 && (
          <List size="sm" mt={4}>{notes.map((note) => <List.Item key={note}>{note}</List.Item>)}</List>
        )}
      </>
    ),
  });
}
