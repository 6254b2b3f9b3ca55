/** Keeps the document at the service while it is worked on, and says when that does not work. */
import { problemOf } from "../../api/client";
import { keepWorkspace, readWorkspace } from "../../api/workspaces";
import type { WorkspaceState } from "../../api/workstation";
import { sentence } from "../../ui/ErrorBox";
import { useWorkspace } from "./store";

export const EVERY_MS = 3000;

/** Tells this tab's own writing from that of others. */
const CLIENT = [...crypto.getRandomValues(new Uint32Array(3))].map((word) => word.toString(36)).join("");

/** What was refused: sending it again says the same. */
let refused: WorkspaceState | null = null;

/** What is on its way, and what arrived last. */
let sending: Promise<void> = Promise.resolve();
let arrived: { id: string; revision: number; doc: WorkspaceState } | null = null;

/** Send what is not kept yet. Failures are told by the draft's status. */
export function keep(): Promise<void> {
  const { id, doc, draft } = useWorkspace.getState();
  if (!id || !draft.is_dirty || draft.is_saving || draft.conflict || doc === refused) return Promise.resolve();
  sending = send();
  return sending;
}

/** Send what stands here now, after what is on its way. Failures are told by the draft's status. */
export async function keepNow(): Promise<void> {
  await sending;
  await keep();
}

/** Send all that is not kept yet, also what was done while something was being sent: the document is left. */
export async function keepAll(): Promise<void> {
  const { id, doc, revision, database, draft } = useWorkspace.getState();
  if (!id || !draft.is_saving) return keep();
  await sending;
  const before = arrived?.id === id ? arrived : null;
  if (before?.doc === doc || draft.conflict || doc === refused) return;
  try {
    await keepWorkspace(id, { revision: before?.revision ?? revision, state: doc, client: CLIENT }, database);
  } catch {
    // Nobody looks at it any more.
  }
}

async function send(): Promise<void> {
  const { id, doc, revision, database, setDraft } = useWorkspace.getState();
  setDraft({ is_saving: true });
  try {
    const kept = await keepWorkspace(id, { revision, state: doc, client: CLIENT }, database);
    arrived = { id, revision: kept.revision, doc };
    const now = useWorkspace.getState();
    if (now.id !== id) return;
    now.setRevision(kept.revision);
    setDraft({ ...KEPT, saved_s: Date.now() / 1000, is_dirty: now.doc !== doc });
  } catch (error) {
    if (useWorkspace.getState().id === id) await failedWith(error, doc);
  }
}

const KEPT = { is_saving: false, is_offline: false, refusal: "" };

async function failedWith(error: unknown, doc: WorkspaceState): Promise<void> {
  const { id, database, setDraft } = useWorkspace.getState();
  const { status, detail } = problemOf(error);
  if (status === 0 || status >= 500) {
    setDraft({ is_saving: false, is_offline: true });
  } else if (status === 409) {
    try {
      const theirs = await readWorkspace(id, database);
      setDraft({ ...KEPT, conflict: { theirs } });
    } catch {
      // Asked again with the next attempt.
      setDraft({ is_saving: false, is_offline: true });
    }
  } else {
    refused = doc;
    setDraft({ ...KEPT, refusal: sentence(detail) });
  }
}

/** What stands here becomes the newest; the other's stays among the versions. */
export async function keepMine(): Promise<void> {
  const { draft, setDraft, setRevision } = useWorkspace.getState();
  if (!draft.conflict) return;
  setRevision(draft.conflict.theirs.revision);
  setDraft({ conflict: null, is_dirty: true });
  await keep();
}

/** Go on with what the other has made; what stood here is kept among the versions. */
export function takeTheirs(): void {
  const { draft, open, database, user, opening, learn } = useWorkspace.getState();
  if (!draft.conflict) return;
  open(draft.conflict.theirs, { database, user });
  learn({ opening });
}

/** Keeps the document every few seconds, and when the page is left. The answer ends it. */
export function startKeeping(): () => void {
  const timer = window.setInterval(() => void keep(), EVERY_MS);
  const now = () => void keep();
  const onHide = () => {
    if (document.visibilityState === "hidden") now();
  };
  const onUnload = (event: BeforeUnloadEvent) => {
    if (!useWorkspace.getState().draft.is_dirty) return;
    now();
    event.preventDefault();
  };
  window.addEventListener("online", now);
  window.addEventListener("beforeunload", onUnload);
  document.addEventListener("visibilitychange", onHide);
  return () => {
    void keepAll();
    window.clearInterval(timer);
    window.removeEventListener("online", now);
    window.removeEventListener("beforeunload", onUnload);
    document.removeEventListener("visibilitychange", onHide);
  };
}
