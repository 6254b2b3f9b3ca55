import { Group, Paper, Text, Title, type PaperProps } from "@mantine/core";
import type { ReactNode } from "react";

interface Props extends PaperProps {
  title: string;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A titled part of a page. */
export function Panel({ title, note, actions, children, ...paper }: Props) {
  return (
    <Paper component="section" withBorder radius="md" p="lg" aria-label={title} {...paper}>
      <Group justify="space-between" align="baseline" mb="md" gap="sm" wrap="nowrap">
        <Group gap="sm" align="baseline">
          <Title order={2} fz="md" fw={600}>
            {title}
          </Title>
          {note !== undefined && (
            <Text component="div" fz="sm" c="dimmed">
              {note}
            </Text>
          )}
        </Group>
        {actions}
      </Group>
      {children}
    </Paper>
  );
}
