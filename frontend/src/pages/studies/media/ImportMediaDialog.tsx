import { Modal } from "@mantine/core";
import { lazy } from "react";

import { Waiting } from "../../../app/Waiting";

/** Read when it is first opened. */
const ImportMediaForm = lazy(async () => ({ default: (await import("./parts")).ImportMediaForm }));

interface ImportMediaDialogProps {
  isOpen: boolean;
  database: string;
  onClose: () => void;
}

export function ImportMediaDialog({ isOpen, database, onClose }: ImportMediaDialogProps) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Import from the server" size={680}>
      {isOpen && (
        <Waiting>
          <ImportMediaForm database={database} onClose={onClose} />
        </Waiting>
      )}
    </Modal>
  );
}
