import { useKeys } from "../../ui";

interface PageKeys {
  isOpen: boolean;
  onOpen: () => void;
  onWorkstation: () => void;
  onClose: () => void;
  onAll: () => void;
  onNone: () => void;
  onSend: () => void;
  onExport: () => void;
  onDelete: () => void;
}

/** The shortcuts of the page, wherever the focus is; the list itself has its own. */
export function usePageKeys(keys: PageKeys): void {
  const { isOpen, onOpen, onWorkstation, onClose, onAll, onNone, onSend, onExport, onDelete } = keys;
  useKeys([
    { keys: "o", label: "Open the study in the workstation", run: onWorkstation },
    { keys: "i", label: "Show what is in the study (in the list: Enter)", run: onOpen },
    { keys: "mod+a", label: "Select all that are loaded", run: onAll },
    { keys: "s", label: "Send what is selected", run: onSend },
    { keys: "e", label: "Export what is selected to media", run: onExport },
    { keys: "Delete", label: "Delete what is selected; can be undone", run: onDelete },
    {
      keys: "Escape",
      label: "Close the study, select none",
      run: () => {
        if (isOpen) onClose();
        else onNone();
      },
    },
  ]);
}
