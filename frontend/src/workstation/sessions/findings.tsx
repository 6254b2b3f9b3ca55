/** What of a session could not be brought back: told once, when it is opened. */
import { Button, Group, List, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";

import { sentence } from "../../ui";

export function tellFindings(findings: readonly string[]): void {
  if (!findings.length) return;
  const id = modals.open({
    title: "Not all of this session could be restored",
    children: (
      <Stack gap="md">
        <List size="sm" spacing="xs">{findings.map((each) => <List.Item key={each}>{sentence(each)}</List.Item>)}</List>
        <Text size="sm" c="dimmed">Everything else is as it was saved.</Text>
        <Group justify="flex-end"><Button data-autofocus onClick={() => { modals.close(id); }}>Go on</Button></Group>
      </Stack>
    ),
  });
}
