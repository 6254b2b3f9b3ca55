/** What there is to save, and whether it is saved. */
import { create } from "zustand";

import type { WorkspaceState } from "../../api/workstation";
import { formatCounted } from "../../ui/format";
import { useWorkspace } from "../model/store";

export interface Saved {
  workspace: string;
  name: string;
  note: string;
  version: number;
  at_s: number;
  doc: WorkspaceState;
}

/** The last session that this page saved. */
export const useSaved = create<{ saved: Saved | null }>()(() => ({ saved: null }));

type Work = Pick<WorkspaceState, "regions" | "lines" | "bookmarks">;

/** What somebody made; where one looks is no work. */
export function isSameWork(one: Work, other: Work): boolean {
  return one.regions === other.regions && one.lines === other.lines && one.bookmarks === other.bookmarks;
}

/** "2 regions, 1 bookmark"; "" where there is nothing. */
export function workWords({ regions, lines, bookmarks }: Work): string {
  const counts: [number, string][] = [
    [regions.length, "region"],
    [lines.length, "line"],
    [bookmarks.length, "bookmark"],
  ];
  return counts.filter(([count]) => count > 0).map(([count, name]) => formatCounted(count, name)).join(", ");
}

/** The session of this workspace, if all of the work is in it. */
export function savedOf(saved: Saved | null, workspace: string, doc: Work): Saved | null {
  return saved?.workspace === workspace && isSameWork(saved.doc, doc) ? saved : null;
}

/** What was just opened is a saved session: nothing of it needs saving. */
export function noteOpened(): void {
  const { id, title, doc } = useWorkspace.getState();
  useSaved.setState({ saved: { workspace: id, name: title, note: "", version: 0, at_s: Date.now() / 1000, doc } });
}

/** Whether somebody who leaves now leaves work that no session holds. */
export function isUnsaved(): boolean {
  const { id, doc } = useWorkspace.getState();
  return id !== "" && workWords(doc) !== "" && !savedOf(useSaved.getState().saved, id, doc);
}
