/** Saved sessions of the workstation. */
import { useQuery } from "@tanstack/react-query";

import { get, send, withQuery } from "./client";
import type { KeptSession, SavedSession, SessionAsk } from "./workstation";

export const sessionKeys = {
  all: ["sessions"],
  of: (study: string, database: string) => ["sessions", database, study],
};

export function useSessions(study: string, database: string, enabled = true) {
  return useQuery({
    queryKey: sessionKeys.of(study, database),
    queryFn: ({ signal }) => get<KeptSession[]>("/sessions", { study, database }, signal),
    enabled: enabled && study !== "",
  });
}

/** Throws ApiError: 409 where the draft was changed meanwhile, 422 where a part cannot become an object. */
export function saveSession(workspace: string, ask: SessionAsk, database: string): Promise<SavedSession> {
  return send("POST", withQuery(`/workspaces/${encodeURIComponent(workspace)}/session`, { database }), ask);
}
