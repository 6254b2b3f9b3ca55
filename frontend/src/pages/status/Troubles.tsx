import { Alert, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";

import { formatCounted } from "../../ui";

/** What needs somebody now, before everything else. */
export function Troubles({ troubles }: { troubles: string[] }) {
  if (troubles.length === 0) {
    return (
      <Group gap="xs" role="status">
        <IconCircleCheck size={20} color="var(--rf-good)" aria-hidden />
        <Text fw={500}>All is well.</Text>
        <Text c="dimmed">Storage, certificates and jobs need nobody’s attention.</Text>
      </Group>
    );
  }
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={troubles.length === 1 ? "One thing needs attention" : `${formatCounted(troubles.length, "thing")} need attention`}
    >
      <List spacing={4} fz="sm" c="var(--mantine-color-text)">
        {troubles.map((sentence) => (
          <List.Item key={sentence}>{sentence}</List.Item>
        ))}
      </List>
    </Alert>
  );
}
