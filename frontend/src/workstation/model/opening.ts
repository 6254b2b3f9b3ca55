/** From an address to an open workspace. */
import { readOpening } from "../../api/volumes";
import { listWorkspaces, newWorkspace, readWorkspace } from "../../api/workspaces";
import type { Opening, OpeningProposal, Workspace, WorkspaceState } from "../../api/workstation";
import { withImages } from "../images/model";
import { viewOf, viewsOf } from "./document";
import { keepAll } from "./drafts";
import { useWorkspace } from "./store";

export interface Wish {
  /** "" for a study that is opened anew. */
  id: string;
  study: string;
  series: readonly string[];
  database: string;
  /** Begin anew although a draft is there. */
  isFresh: boolean;
  /** A saved session that is opened, by its SOP Instance UID; "" for none. */
  session: string;
}

export interface Opened {
  workspace: Workspace;
  /** Somebody's own draft goes on: it is said, since another beginning may be wanted. */
  isContinued: boolean;
}

/** One's own newest draft of the study. */
async function draftOf(wish: Wish, user: string): Promise<Workspace | undefined> {
  if (wish.isFresh || wish.series.length) return undefined;
  const all = await listWorkspaces(wish.study, wish.database);
  const [newest] = all.filter((each) => each.made_by === user).sort((one, other) => other.changed_s - one.changed_s);
  return newest && readWorkspace(newest.id, wish.database);
}

async function workspaceOf(wish: Wish, user: string): Promise<Opened> {
  if (wish.id) return { workspace: await readWorkspace(wish.id, wish.database), isContinued: false };
  if (wish.session) {
    return { workspace: await newWorkspace({ from: wish.session }, wish.database), isContinued: false };
  }
  const draft = await draftOf(wish, user);
  if (draft) return { workspace: draft, isContinued: true };
  const { study, series } = wish;
  const workspace = await newWorkspace({ study, series: series.length ? [...series] : null }, wish.database);
  return { workspace, isContinued: false };
}

/** What is shown first where nothing was chosen yet. */
export function proposed(state: WorkspaceState, proposal: OpeningProposal): WorkspaceState {
  if (viewsOf(state).length > 0 || state.images?.length) return state;
  const { base, overlay, prior, layout } = proposal;
  const view = (series: string | null) => (series ? viewOf(series) : null);
  return { ...state, base: view(base), overlay: view(overlay), prior: view(prior), layout };
}

/** Opens it in the store. Throws ApiError: 404 where it is gone. */
export async function openWorkspace(wish: Wish, user: string): Promise<Opened> {
  const early: Promise<Opening> | null = wish.id || !wish.study ? null : readOpening(wish.study, wish.series, wish.database);
  // Told by the wait below; until then nobody listens.
  early?.catch(() => undefined);
  const opened = await workspaceOf(wish, user);
  const { workspace } = opened;
  const opening = await (early ?? readOpening(workspace.study, [], wish.database));
  // What was open before is another workspace's.
  await keepAll();
  const state = withImages(proposed(workspace.state, opening.proposal), opening);
  const { open, learn, setDraft } = useWorkspace.getState();
  open({ ...workspace, state }, { database: wish.database, user });
  learn({ opening });
  if (state !== workspace.state) setDraft({ is_dirty: true });
  return opened;
}
