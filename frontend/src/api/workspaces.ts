/** Drafts of the workstation. */
import { get, send, withQuery } from "./client";
import type { NewWorkspace, Workspace, WorkspaceChange, WorkspaceRevision, WorkspaceRow } from "./workstation";

function pathOf(id: string, database: string): string {
  return withQuery(`/workspaces/${encodeURIComponent(id)}`, { database });
}

export function listWorkspaces(study: string, database: string, signal?: AbortSignal): Promise<WorkspaceRow[]> {
  return get("/workspaces", { study, database }, signal);
}

export function newWorkspace(wanted: NewWorkspace, database: string): Promise<Workspace> {
  return send("POST", withQuery("/workspaces", { database }), wanted);
}

export function readWorkspace(id: string, database: string, signal?: AbortSignal): Promise<Workspace> {
  return get(pathOf(id, database), undefined, signal);
}

/** Throws ApiError: 409 where somebody else has changed it in between. */
export function keepWorkspace(id: string, change: WorkspaceChange, database: string): Promise<WorkspaceRevision> {
  return send("PUT", pathOf(id, database), change);
}

export function deleteWorkspace(id: string, database: string): Promise<void> {
  return send("DELETE", pathOf(id, database));
}
