/** Peers: who they are, whether they answer, what they have. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { get, lines, send } from "./client";
import type { ContextList, Peer, PeerInfo, PeerQuery, PeerTest, QueryLine } from "./types";

export const peerKeys = {
  all: ["peers"],
  /** The last test in this browser; never asked for by itself. */
  test: (name: string) => ["peer-tests", name],
  contexts: ["contexts"],
};

/** A test with when it was made. */
export interface DatedTest extends PeerTest {
  at_s: number;
}

function pathOf(name: string): string {
  return `/peers/${encodeURIComponent(name)}`;
}

export function usePeers() {
  return useQuery({ queryKey: peerKeys.all, queryFn: ({ signal }) => get<PeerInfo[]>("/peers", {}, signal) });
}

export function useContextLists() {
  return useQuery({
    queryKey: peerKeys.contexts,
    queryFn: ({ signal }) => get<ContextList[]>("/contexts", {}, signal),
    staleTime: 60_000,
  });
}

/** Null until it was tested on this page. */
export function useLastTest(name: string): DatedTest | null {
  const { data } = useQuery<DatedTest | null>({
    queryKey: peerKeys.test(name),
    queryFn: () => null,
    enabled: false,
    staleTime: Infinity,
    gcTime: Infinity,
  });
  return data ?? null;
}

export function useTestPeer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (name: string): Promise<DatedTest> => {
      const test = await send<PeerTest>("POST", `${pathOf(name)}/test`);
      return { ...test, at_s: Date.now() / 1000 };
    },
    onSuccess: (test, name) => client.setQueryData(peerKeys.test(name), test),
  });
}

export function testUnsaved(peer: Peer, signal?: AbortSignal): Promise<PeerTest> {
  return send<PeerTest>("POST", "/peers/test", peer, signal);
}

/** Makes a peer or changes the one that has been called `known`: it is renamed when it has another name now. */
export function useSavePeer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ peer, known = peer.name }: { peer: Peer; known?: string }) => send<PeerInfo>("PUT", pathOf(known), peer),
    onSuccess: (_saved, { peer, known = peer.name }) => {
      for (const name of [peer.name, known]) client.removeQueries({ queryKey: peerKeys.test(name) });
      return client.invalidateQueries({ queryKey: peerKeys.all });
    },
  });
}

export function useDeletePeer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => send<unknown>("DELETE", pathOf(name)),
    onSuccess: (_gone, name) => {
      client.removeQueries({ queryKey: peerKeys.test(name) });
      return client.invalidateQueries({ queryKey: peerKeys.all });
    },
  });
}

/** What a peer answers, while it does. Aborting the signal cancels the query there. */
export function askPeer(name: string, query: PeerQuery, signal: AbortSignal): AsyncGenerator<QueryLine> {
  return lines<QueryLine>(`${pathOf(name)}/query`, query, signal);
}
