/** The running query of a peer and what it answered; kept while one looks at other pages, gone with the login. */

import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { ApiError, problemOf } from "../../api/client";
import { submitRetrieval, rememberJob } from "../../api/jobs";
import { askPeer } from "../../api/peers";
import type { PeerQuery } from "../../api/types";
import { EMPTY_FORM, nameOfChosen, retrievalsOf, studyQuery, type Chosen, type Form } from "./form";

export type Answer = Record<string, string>;
export type Phase = "idle" | "asking" | "done" | "stopped" | "failed";

export interface Search {
  peer: string;
  form: Form;
  phase: Phase;
  /** The peer that answered: another may be picked since. */
  asked: string;
  answers: Answer[];
  isLimited: boolean;
  started_ms: number;
  took_ms: number;
  error: Error | null;
  /** Which job gets what: by `nameOfChosen`. */
  jobs: Record<string, number>;
}

const NOTHING: Search = {
  peer: "",
  form: EMPTY_FORM,
  phase: "idle",
  asked: "",
  answers: [],
  isLimited: false,
  started_ms: 0,
  took_ms: 0,
  error: null,
  jobs: {},
};

const KEY = ["peer-search"];
const FLUSH_MS = 100;

// One query at a time in one window; outside of the components so that it goes on while another page is shown.
let running: AbortController | null = null;

function change(client: QueryClient, values: Partial<Search>): void {
  client.setQueryData<Search>(KEY, (old) => ({ ...(old ?? NOTHING), ...values }));
}

/** The answers of a query as they come, told in handfuls: a render for each of 500 would be felt. */
async function follow(client: QueryClient, peer: string, query: PeerQuery, signal: AbortSignal): Promise<void> {
  const answers: Answer[] = [];
  let told_ms = 0;
  for await (const line of askPeer(peer, query, signal)) {
    // Somebody logged out: what still comes is nobody's to see.
    if (client.getQueryData(KEY) === undefined) running?.abort();
    if (signal.aborted) return;
    if ("problem" in line) throw new ApiError({ ...line.problem, title: `${peer} could not be searched` });
    if ("end" in line) {
      change(client, { answers: [...answers], phase: "done", isLimited: line.end.is_limited });
      return;
    }
    answers.push(line.answer);
    if (Date.now() - told_ms > FLUSH_MS) {
      told_ms = Date.now();
      change(client, { answers: [...answers] });
    }
  }
  // The line that says "end" did not come: what there is was not all.
  throw new Error("The answer broke off before its end. Search again.");
}

async function ask(client: QueryClient, peer: string, form: Form): Promise<void> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const started_ms = Date.now();
  const begun: Partial<Search> = { phase: "asking", asked: peer, answers: [], isLimited: false, error: null };
  change(client, { ...begun, started_ms, jobs: {} });
  try {
    await follow(client, peer, studyQuery(form), controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return;
    change(client, { phase: "failed", error: error instanceof Error ? error : new ApiError(problemOf(error)) });
  } finally {
    if (running === controller) change(client, { took_ms: Date.now() - started_ms });
  }
}

function stop(client: QueryClient): void {
  running?.abort();
  running = null;
  const search = client.getQueryData<Search>(KEY);
  if (search?.phase === "asking") change(client, { phase: "stopped", took_ms: Date.now() - search.started_ms });
}

export function usePeerSearch() {
  const client = useQueryClient();
  const { data } = useQuery<Search>({
    queryKey: KEY,
    queryFn: () => client.getQueryData<Search>(KEY) ?? NOTHING,
    enabled: false,
    staleTime: Infinity,
    gcTime: Infinity,
  });
  const search = data ?? NOTHING;
  return {
    search,
    change: useCallback((values: Partial<Search>) => { change(client, values); }, [client]),
    ask: useCallback((peer: string, form: Form) => void ask(client, peer, form), [client]),
    stop: useCallback(() => { stop(client); }, [client]),
    retrieve: useCallback((peer: string, chosen: Chosen[]) => retrieve(client, peer, chosen), [client]),
  };
}

/** Queue what it takes to get everything chosen; gives the numbers of the jobs. */
async function retrieve(client: QueryClient, peer: string, chosen: Chosen[]): Promise<number[]> {
  const ids: number[] = [];
  for (const wanted of retrievalsOf(peer, chosen)) {
    const job = await submitRetrieval(wanted);
    rememberJob(client, job);
    ids.push(job.id);
    const study = wanted.above?.StudyInstanceUID;
    const names = wanted.names.map((name) => nameOfChosen(study ? { study, series: name } : { study: name }));
    const jobs = client.getQueryData<Search>(KEY)?.jobs ?? {};
    change(client, { jobs: { ...jobs, ...Object.fromEntries(names.map((name) => [name, job.id])) } });
  }
  return ids;
}
