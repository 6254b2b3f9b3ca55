import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";

import { problemOf } from "../api/client";
import { capitalized } from "./format";

/** What happened and, where trying again may help, a button for it. */
export function ErrorBox({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, detail } = problemOf(error);
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} title={title} role="alert">
      <Group justify="space-between" align="flex-start" gap="md">
        <Text size="md" style={{ flex: 1, minWidth: 220, overflowWrap: "anywhere" }}>
          {sentence(detail)}
        </Text>
        {onRetry && (
          <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}

/** The service's sentences begin small, for a command line's sake. */
export function sentence(text: string): string {
  const begun = capitalized(text.trim());
  return /[.!?…)]$/.test(begun) || !begun ? begun : `${begun}.`;
}
