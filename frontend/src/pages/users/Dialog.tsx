import { Button, Group, Modal, Stack } from "@mantine/core";
import type { ReactNode } from "react";

import { problemOf } from "../../api/client";
import { ErrorBox } from "../../ui";

interface Props {
  title: string;
  action: string;
  error: unknown;
  /** Fields that show their own errors. */
  fields?: string[];
  isBusy: boolean;
  isReady: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A form in a dialog: Enter does it, Escape leaves it, what was refused stands in it. */
export function Dialog({ title, action, error, fields = [], isBusy, isReady, onSubmit, onClose, children }: Props) {
  const isElsewhere = error !== null && error !== undefined && !fields.includes(problemOf(error).setting ?? "");
  return (
    <Modal opened onClose={onClose} title={title} size={460}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) onSubmit();
        }}
      >
        <Stack gap="md">
          {children}
          {isElsewhere && <ErrorBox error={error} />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={isBusy} disabled={!isReady}>{action}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
