/** This node: its settings, databases, certificate and health, and the access log. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { API, ApiError, get, problemFrom, send } from "./client";
import type { AuditEntry, AuditPage, Database, Outcome, Setting, Status, TlsStatus } from "./types";

const STATUS_EVERY_MS = 10_000;
const OHIF_STAYS_MS = 300_000;
const AUDIT_PAGE = 100;

export function useStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => get<Status>("/status", undefined, signal),
    refetchInterval: STATUS_EVERY_MS,
  });
}

/** The version of OHIF that is installed; "" for none, and as long as it is not known. Asked for once in a while. */
export function useOhif(): string {
  const { data } = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => get<Status>("/status", undefined, signal),
    staleTime: OHIF_STAYS_MS,
    select: (status) => status.ohif,
  });
  return data ?? "";
}

export function useDatabases() {
  return useQuery({
    queryKey: ["databases"],
    queryFn: ({ signal }) => get<Database[]>("/databases", undefined, signal),
  });
}

export function useSettings() {
  return useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => get<Setting[]>("/settings", undefined, signal),
  });
}

/** key -> value, or null for the default. */
export type Changes = Record<string, Setting["value"] | null>;

export function useChangeSettings() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (changes: Changes) => send<Setting[]>("PUT", "/settings", { changes }),
    onSuccess: () =>
      Promise.all(["settings", "databases", "status", "tls"].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
}

export function useTls() {
  return useQuery({
    queryKey: ["tls"],
    queryFn: ({ signal }) => get<TlsStatus>("/tls", undefined, signal),
  });
}

export function useMakeCertificates() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: { renew: boolean }) => send<TlsStatus>("POST", "/tls/init", wanted),
    onSuccess: () => Promise.all(["tls", "settings", "status"].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
}

/** A zip archive with the certificate of a peer, its key and our authority's certificate. The key is a secret. */
export function usePeerCertificate() {
  return useMutation({
    mutationFn: async (wanted: { peer: string; renew: boolean }): Promise<Blob> => {
      const response = await fetch(`${API}/tls/peer-certificate`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", Accept: "application/zip, application/problem+json" },
        body: JSON.stringify(wanted),
      });
      if (!response.ok) throw new ApiError(problemFrom(response.status, response.statusText, await response.text()));
      return response.blob();
    },
  });
}

/** What of the access log is asked for; "" is everything. Times are seconds since 1970. */
export interface AuditFilter {
  user: string;
  action: string;
  outcome: Outcome | "";
  study: string;
  from_s: number | null;
  until_s: number | null;
}

/** Newest first, a page at a time. */
export function useAudit(filter: AuditFilter) {
  return useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      get<AuditPage>("/audit", { ...filter, before: pageParam, limit: AUDIT_PAGE }, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.has_more ? (page.entries.at(-1)?.id ?? null) : null),
    placeholderData: keepPreviousData,
  });
}

export function entriesOf(pages: AuditPage[] | undefined): AuditEntry[] {
  return pages?.flatMap((page) => page.entries) ?? [];
}
