/** Logging in and out. What was read for one person is not kept for the next. */
import { useQuery, type QueryClient, type UseQueryResult } from "@tanstack/react-query";

import { ApiError, get, send } from "./client";
import type { Session } from "./types";

export const SESSION = ["session"] as const;

/** null: nobody is logged in. */
export async function readSession(signal?: AbortSignal): Promise<Session | null> {
  try {
    return await get<Session>("/session", undefined, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export function useSessionQuery(): UseQueryResult<Session | null> {
  return useQuery({
    queryKey: SESSION,
    queryFn: ({ signal }) => readSession(signal),
    staleTime: 60_000,
    // A service that is starting is asked until it is there.
    refetchInterval: (query) => (query.state.status === "error" ? 3000 : false),
  });
}

/** Throws ApiError: 401 for a wrong name or password, 429 while too many were wrong. */
export function logIn(name: string, password: string): Promise<Session> {
  return send<Session>("POST", "/session", { name, password });
}

export async function logOut(client: QueryClient): Promise<void> {
  await send("DELETE", "/session");
  forgetEverything(client, "logout");
}

/** How the last session ended: who logs in next goes on only where it ended by itself. */
export type SessionEnd = "logout" | "expired";

const END = ["session", "end"] as const;

export function sessionEnd(client: QueryClient): SessionEnd | undefined {
  return client.getQueryData<SessionEnd>(END);
}

/** Nobody is logged in any more: the login page follows, and nothing of what was read stays. */
export function forgetEverything(client: QueryClient, end: SessionEnd): void {
  if (client.getQueryData(SESSION)) client.setQueryData(END, end);
  client.setQueryData(SESSION, null);
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] });
}

/** Throws ApiError: 400 with what is wrong with the new one, 403 for a wrong present one. */
export function changeOwnPassword(old: string, next: string): Promise<void> {
  return send("PUT", "/session/password", { old_password: old, new_password: next });
}
