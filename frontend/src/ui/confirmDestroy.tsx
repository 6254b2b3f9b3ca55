import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useState, type ReactNode } from "react";

import { ErrorBox } from "./ErrorBox";

interface Destroying {
  title: string;
  /** What will be gone, and that it cannot be taken back. */
  text: ReactNode;
  /** Must be typed before the button can be used: for what can never come back. */
  word?: string;
  /** What the button says; "Delete" without it. */
  action?: string;
  onConfirm: () => unknown;
}

/** Asks before something is destroyed or leaves the building; everything else is undone instead. */
export function confirmDestroy(destroying: Destroying): void {
  const id = modals.open({
    title: destroying.title,
    children: <Confirmation {...destroying} close={() => { modals.close(id); }} />,
  });
}

function Confirmation({ text, word, action = "Delete", onConfirm, close }: Destroying & { close: () => void }) {
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      close();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void confirm();
      }}
    >
      <Stack gap="md">
        <Text component="div">{text}</Text>
        {word && (
          <TextInput
            label={`Type ${word} to go on`}
            value={typed}
            data-autofocus
            autoComplete="off"
            onChange={(event) => { setTyped(event.currentTarget.value); }}
          />
        )}
        {error !== null && <ErrorBox error={error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close} data-autofocus={!word || undefined}>
            Cancel
          </Button>
          <Button type="submit" color="red" loading={isBusy} disabled={word !== undefined && typed.trim() !== word}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
