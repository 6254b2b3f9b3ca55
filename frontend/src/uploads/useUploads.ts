import { useSyncExternalStore } from "react";

import { uploads, type Progress } from "./queue";
import { entriesOf, picked, walk } from "./walk";

export function useUploads(): Progress {
  return useSyncExternalStore(uploads.subscribe, uploads.snapshot);
}

export function uploadPicked(files: Iterable<File>, database: string): void {
  void uploads.add(picked([...files]), database);
}

export function uploadDropped(transfer: DataTransfer, database: string): void {
  const entries = entriesOf(transfer);
  const onUnreadable = (path: string) => { uploads.unreadable(path); };
  void uploads.add(entries.length > 0 ? walk(entries, onUnreadable) : picked([...transfer.files]), database);
}
