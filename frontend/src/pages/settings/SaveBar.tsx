import { Button, Text } from "@mantine/core";
import { IconDeviceFloppy } from "@tabler/icons-react";

import { ErrorBox, formatCounted } from "../../ui";
import classes from "./settings.module.css";

interface Props {
  count: number;
  isSaving: boolean;
  error: unknown;
  onSave: () => void;
  onDiscard: () => void;
}

/** All changes of all sections are saved together, or none. */
export function SaveBar({ count, isSaving, error, onSave, onDiscard }: Props) {
  if (count === 0) return null;
  return (
    <div>
      {error !== null && error !== undefined && <ErrorBox error={error} />}
      <div className={classes.bar} role="region" aria-label="Changes that are not saved">
        <Text style={{ flex: 1 }} aria-live="polite">
          {formatCounted(count, "change")} not saved
          <Text span c="dimmed" fz="sm"> · written to radfuse.toml, used from the next restart on</Text>
        </Text>
        <Button variant="default" onClick={onDiscard} disabled={isSaving}>Discard</Button>
        <Button onClick={onSave} loading={isSaving} leftSection={<IconDeviceFloppy size={16} />}>
          Save
        </Button>
      </div>
    </div>
  );
}
