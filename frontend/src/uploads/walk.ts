/** What was dropped or picked, as files with the paths that people know them by. */

export interface Found {
  /** With its folders: "PETCT/series1/0001.dcm". */
  path: string;
  file: File;
}

/** Files of the system, never of a patient: not worth sending. */
const LITTER = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$|(^|\/)__MACOSX\//i;

export function isLitter(path: string): boolean {
  return LITTER.test(path);
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => { entry.file(resolve, reject); });
}

function someOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
}

/**
 * Everything below the entries, depth first. A folder gives its entries a hundred at a time, so however many files
 * there are, only their names are held. What cannot be read is told to `onUnreadable`.
 */
export async function* walk(
  entries: readonly FileSystemEntry[],
  onUnreadable: (path: string) => void = () => undefined,
): AsyncGenerator<Found, void, undefined> {
  for (const entry of entries) {
    const path = entry.fullPath.replace(/^\//, "");
    try {
      if (entry.isFile) {
        yield { path, file: await fileOf(entry as FileSystemFileEntry) };
      } else {
        const reader = (entry as FileSystemDirectoryEntry).createReader();
        for (let some = await someOf(reader); some.length > 0; some = await someOf(reader)) yield* walk(some, onUnreadable);
      }
    } catch {
      onUnreadable(path);
    }
  }
}

/** Must be called while the drop is handled: afterwards the browser has forgotten what it was. */
export function entriesOf(transfer: DataTransfer): FileSystemEntry[] {
  return [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
}

/** From a file field, also one that picks a folder. */
export function* picked(files: Iterable<File>): Generator<Found, void, undefined> {
  for (const file of files) yield { path: file.webkitRelativePath || file.name, file };
}
