/** How long answers are good, and when it is worth asking again. */
import { QueryClient } from "@tanstack/react-query";

import { ApiError, setLoginNeeded } from "../api/client";
import { forgetEverything } from "../api/session";

const FRESH_MS = 5_000;
const ATTEMPTS = 2;

/** What the service said will not change by asking again; what it did not say may. */
export function isWorthRetrying(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}

export function makeQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        // The service may be this machine: a browser that thinks it is offline asks all the same.
        networkMode: "always",
        retry: (count, error) => count < ATTEMPTS && isWorthRetrying(error),
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
  setLoginNeeded(() => {
    forgetEverything(client, "expired");
  });
  return client;
}
