import { Button, Group, Stack, Text } from "@mantine/core";

import type { NewToken } from "../../api/types";
import { Copyable } from "../status/Copyable";
import { Panel } from "../status/Panel";

/** The secret of a token that was made right now: the only time that it is shown. */
export function SecretShown({ token, onClose }: { token: NewToken; onClose: () => void }) {
  const example = `curl -H "Authorization: Bearer ${token.secret}" ${window.location.origin}/dicom-web/studies?limit=10`;
  return (
    <Panel title={`The token “${token.name}”`} note="is shown this once: copy it now" bd="1px solid var(--rf-warn)">
      <Stack gap="sm">
        <Copyable value={token.secret} label="token" />
        <Text c="dimmed">In a program it is the bearer token; where a viewer asks for name and password, it is the password of {token.user}:</Text>
        <Copyable value={example} label="example" />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>I have copied it</Button>
        </Group>
      </Stack>
    </Panel>
  );
}
