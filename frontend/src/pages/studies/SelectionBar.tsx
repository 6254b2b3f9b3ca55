import { ActionIcon, Button, Text } from "@mantine/core";
import { IconDisc, IconSend, IconTrash, IconUserOff, IconX } from "@tabler/icons-react";

import { hasRole, useSession } from "../../app/session";
import { formatBytes, formatCount, formatCounted } from "../../ui";
import type { Chosen } from "./chosen";
import styles from "./studies.module.css";

interface SelectionBarProps {
  chosen: Chosen;
  onSend: () => void;
  onExport: () => void;
  onAnonymize: () => void;
  onDelete: () => void;
  onClear: () => void;
}

/** What can be done to several studies at once. */
export function SelectionBar({ chosen, onSend, onExport, onAnonymize, onDelete, onClear }: SelectionBarProps) {
  const session = useSession();
  return (
    <div className={styles.selectionBar} role="toolbar" aria-label="Selected studies">
      <ActionIcon aria-label="Select none (Esc)" onClick={onClear}>
        <IconX size={16} />
      </ActionIcon>
      <Text fw={600}>{formatCounted(chosen.studies, "study", "studies")} selected</Text>
      <Text c="dimmed" size="sm" truncate style={{ flex: 1, minWidth: 0 }}>
        {formatCount(chosen.instances)} instances, {formatBytes(chosen.size_bytes)}
      </Text>
      {hasRole(session, "operator") && (
        <>
          <Button variant="default" leftSection={<IconSend size={16} />} onClick={onSend}>
            Send …
          </Button>
          <Button variant="default" leftSection={<IconDisc size={16} />} onClick={onExport}>
            Export …
          </Button>
          <Button variant="default" leftSection={<IconUserOff size={16} />} onClick={onAnonymize}>
            Anonymize …
          </Button>
          <Button variant="default" leftSection={<IconTrash size={16} />} onClick={onDelete}>
            Delete
          </Button>
        </>
      )}
    </div>
  );
}
