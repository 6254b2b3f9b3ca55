/** Undo: what the document was before each step. Where one looks, and what one agreed to, is no step. */
import type { WorkspaceState } from "../../api/workstation";

interface Step {
  before: WorkspaceState;
  /** What was changed: steps on the same thing in quick succession are one. */
  what: string;
  at_ms: number;
}

export interface History {
  readonly past: readonly Step[];
  readonly future: readonly WorkspaceState[];
}

export const NO_HISTORY: History = { past: [], future: [] };

const LONGEST = 200;
/** A drag of the window's edges is one step. */
const SAME_STEP_MS = 1000;

/** The history after a step from `before`. */
export function stepped(history: History, before: WorkspaceState, what: string, at_ms: number): History {
  const last = history.past.at(-1);
  if (last && history.future.length === 0 && what !== "" && last.what === what && at_ms - last.at_ms < SAME_STEP_MS) {
    return { past: [...history.past.slice(0, -1), { ...last, at_ms }], future: [] };
  }
  return { past: [...history.past, { before, what, at_ms }].slice(-LONGEST), future: [] };
}

/** The document of then, looked at from where one is now. */
function seenFrom(then: WorkspaceState, now: WorkspaceState): WorkspaceState {
  return { ...then, cursor_mm: now.cursor_mm, zoom: now.zoom, pan: now.pan, consents: now.consents };
}

export interface Moved {
  doc: WorkspaceState;
  history: History;
}

/** null where nothing can be undone. */
export function undone(history: History, now: WorkspaceState): Moved | null {
  const last = history.past.at(-1);
  if (!last) return null;
  return {
    doc: seenFrom(last.before, now),
    history: { past: history.past.slice(0, -1), future: [...history.future, now] },
  };
}

/** null where nothing was undone. */
export function redone(history: History, now: WorkspaceState): Moved | null {
  const next = history.future.at(-1);
  if (!next) return null;
  return {
    doc: seenFrom(next, now),
    history: { past: [...history.past, { before: now, what: "", at_ms: 0 }], future: history.future.slice(0, -1) },
  };
}
