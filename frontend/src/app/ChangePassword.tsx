import { Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";

import { changeOwnPassword } from "../api/session";
import { ErrorBox } from "../ui/ErrorBox";
import { useSession } from "./session";

export const SHORTEST_PASSWORD = 10;

/** "" or why the service would not take it: said while typing, not after. */
export function passwordTrouble(password: string, user: string): string {
  if ([...password].length < SHORTEST_PASSWORD) return `At least ${SHORTEST_PASSWORD} characters; a few words are good.`;
  if (password.toLocaleLowerCase() === user.toLocaleLowerCase()) return "Not the name of the user.";
  return "";
}

export function ChangePassword({ onDone }: { onDone: () => void }) {
  const { user } = useSession();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const trouble = passwordTrouble(next, user);

  const change = async () => {
    setBusy(true);
    setError(null);
    try {
      await changeOwnPassword(old, next);
      notifications.show({ message: "Your password was changed. Your sessions elsewhere have ended." });
      onDone();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void change();
      }}
    >
      <Stack gap="md">
        <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
        <PasswordInput
          label="Present password"
          data-autofocus
          required
          withAsterisk={false}
          autoComplete="current-password"
          value={old}
          onChange={(event) => { setOld(event.currentTarget.value); }}
        />
        <PasswordInput
          label="New password"
          required
          withAsterisk={false}
          autoComplete="new-password"
          description={`At least ${SHORTEST_PASSWORD} characters. Long is better than odd.`}
          error={next && trouble}
          value={next}
          onChange={(event) => { setNext(event.currentTarget.value); }}
        />
        <PasswordInput
          label="New password again"
          required
          withAsterisk={false}
          autoComplete="new-password"
          error={again && again !== next && "The two are not the same."}
          value={again}
          onChange={(event) => { setAgain(event.currentTarget.value); }}
        />
        {error !== null && <ErrorBox error={error} />}
        <Text size="sm" c="dimmed">
          Sessions of yours in other browsers end.
        </Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={isBusy} disabled={!old || trouble !== "" || again !== next}>
            Change password
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
