/** Somebody leaves work that no session holds: asked once, and nothing is lost but on purpose. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useState } from "react";

import { deleteWorkspace } from "../../api/workspaces";
import { ErrorBox } from "../../ui";
import { keep } from "../model/drafts";
import { useWorkspace } from "../model/store";
import { openSave } from "./SaveSession";
import { isUnsaved, workWords } from "./work";

interface LeaveProps {
  /** Leave. */
  go: () => void;
  /** Whether this user may save sessions. */
  canSave: boolean;
}

/** Leaves at once where nothing would be left behind. */
export function leave(props: LeaveProps): void {
  if (!isUnsaved()) {
    props.go();
    return;
  }
  const id = modals.open({
    title: "Leave the workstation",
    size: 520,
    children: <Leave {...props} close={() => { modals.close(id); }} />,
  });
}

async function discard(): Promise<void> {
  const { id, database, setDraft } = useWorkspace.getState();
  await deleteWorkspace(id, database);
  // What is still to be kept belongs to nothing any more.
  setDraft({ is_dirty: false });
}

function Leave({ go, canSave, close }: LeaveProps & { close: () => void }) {
  const words = useWorkspace((state) => workWords(state.doc));
  const [error, setError] = useState<unknown>(null);
  const andGo = () => { close(); go(); };
  return (
    <Stack gap="md">
      <Text>
        {canSave ? `In no saved session yet: ${words}.` : `In your draft only: ${words}. Saving a session needs an operator.`}
        {" "}The draft waits here for you to go on.
      </Text>
      {error !== null && <ErrorBox error={error} />}
      <Group justify="flex-end" gap="sm">
        <Button variant="subtle" color="red" onClick={() => { discard().then(andGo, setError); }}>Discard draft</Button>
        <Button variant="default" data-autofocus={!canSave || undefined} onClick={() => { void keep(); andGo(); }}>Keep draft</Button>
        {canSave && <Button data-autofocus onClick={() => { close(); openSave(go); }}>Save session …</Button>}
      </Group>
    </Stack>
  );
}
