import { useKeys } from "../../ui";

interface PageKeys {
  isOpen: boolean;
  onOpen: () => void;
  onClose: () => void;
  onAll: () => void;
  onNone: () => void;
  onSend: () => void;
  onDelete: () => void;
}

/** The shortcuts of the page, wherever the focus is; the list itself has its own. */
export function usePageKeys({ isOpen, onOpen, onClose, onAll, onNone, onSend, onDelete }: PageKeys): void {
  useKeys([
    { keys: "o", label: "Open the study (in the list: Enter)", run: onOpen },
    { keys: "mod+a", label: "Select all that are loaded", run: onAll },
    { keys: "s", label: "Send what is selected", run: onSend },
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
