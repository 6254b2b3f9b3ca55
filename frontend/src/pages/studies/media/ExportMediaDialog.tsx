import { Modal } from "@mantine/core";
import { lazy } from "react";

import { Waiting } from "../../../app/Waiting";
import type { Chosen } from "../chosen";

/** Read when it is first opened. */
const ExportMediaForm = lazy(async () => ({ default: (await import("./parts")).ExportMediaForm }));

export function ExportMediaDialog({ chosen, onClose }: { chosen: Chosen | null; onClose: () => void }) {
  return (
    <Modal opened={chosen !== null} onClose={onClose} title="Export to media" size={680}>
      {chosen && (
        <Waiting>
          <ExportMediaForm chosen={chosen} onClose={onClose} />
        </Waiting>
      )}
    </Modal>
  );
}
