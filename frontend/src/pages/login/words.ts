/** What the login page says, and where it leads. */
import { ApiError } from "../../api/client";

/** The address within the console where someone was before: never another site's. */
export function cameFrom(state: unknown): string {
  const from = (state as { from?: { pathname?: unknown; search?: unknown } } | null)?.from;
  const path = typeof from?.pathname === "string" ? from.pathname : "/";
  const search = typeof from?.search === "string" ? from.search : "";
  return /^\/(?![/\\])/.test(path) && path !== "/login" ? path + search : "/";
}

/** Whether one is here because a session ended by itself. */
export function isExpired(state: unknown): boolean {
  return (state as { isExpired?: unknown } | null)?.isExpired === true;
}

export function loginTrouble(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) {
    // Which of the two was wrong is not said to whoever guesses.
    return "The name or the password is wrong.";
  }
  return error instanceof Error ? error.message : String(error);
}
