/** Jobs: lists, one, its instances, and what can be done to them. */

import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type QueryClient,
} from "@tanstack/react-query";

import { failed } from "../ui/undoable";
import { get, send } from "./client";
import { jobKeys, takeJobs, type JobFilter } from "./liveCache";
import type {
  ItemState,
  Job,
  JobItemPage,
  JobPage,
  JobTotals,
  NewRetrieval,
  NewSend,
} from "./types";

export { jobKeys, type JobFilter } from "./liveCache";
export { doneOf, rateOf, totalOf, watchRate, type Rate } from "./jobRates";

export type JobAction = Job["actions"][number];

const PAGE = 200;
const ITEM_PAGE = 500;

export function useJobs(filter: JobFilter) {
  return useInfiniteQuery({
    queryKey: jobKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      get<JobPage>(
        "/jobs",
        { state: filter.states, kind: filter.kind, peer: filter.peer, before: pageParam, limit: PAGE },
        signal,
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.has_more ? page.jobs.at(-1)?.id : undefined),
  });
}

export function useJobTotals() {
  return useQuery({ queryKey: jobKeys.totals, queryFn: ({ signal }) => get<JobTotals>("/jobs/totals", {}, signal) });
}

/** A job as a list has it: what a page can show while it asks. */
function jobInLists(client: QueryClient, id: number): Job | undefined {
  const lists = client.getQueriesData<InfiniteData<JobPage>>({ queryKey: ["jobs", "list"] });
  for (const [, list] of lists) {
    const found = list?.pages.flatMap((page) => page.jobs).find((job) => job.id === id);
    if (found) return found;
  }
  return undefined;
}

export function useJob(id: number | null) {
  const client = useQueryClient();
  return useQuery<Job>({
    queryKey: jobKeys.one(id ?? 0),
    queryFn: ({ signal }) => get<Job>(`/jobs/${String(id)}`, {}, signal),
    enabled: id !== null,
    placeholderData: id === null ? undefined : jobInLists(client, id),
  });
}

export function useJobItems(id: number, state: ItemState | null) {
  return useInfiniteQuery({
    queryKey: [...jobKeys.items(id), state],
    queryFn: ({ pageParam, signal }) =>
      get<JobItemPage>(
        `/jobs/${String(id)}/items`,
        { state: state ?? undefined, after: pageParam, limit: ITEM_PAGE },
        signal,
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.has_more ? page.items.at(-1)?.number : undefined),
  });
}

/** A job that an answer told of, put where the pages look for it. */
export function rememberJob(client: QueryClient, job: Job): void {
  client.setQueryData(jobKeys.one(job.id), job);
  void client.invalidateQueries({ queryKey: ["jobs", "list"] });
  void client.invalidateQueries({ queryKey: jobKeys.totals });
}

export function actOn(id: number, action: JobAction): Promise<Job> {
  return send<Job>("POST", `/jobs/${String(id)}/${action}`);
}

/** Act on jobs one after the other; gives how many it did. One that can no more is left out, as it is no trouble. */
export function useJobAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ ids, action }: { ids: number[]; action: JobAction }): Promise<Job[]> => {
      const done: Job[] = [];
      let trouble: unknown;
      for (const id of ids) {
        try {
          done.push(await actOn(id, action));
        } catch (error) {
          trouble = error;
        }
      }
      if (trouble !== undefined && done.length === 0) throw trouble as Error;
      return done;
    },
    onError: (error) => {
      failed("Nothing was changed", error);
    },
    onSettled: (jobs) => {
      const totals = client.getQueryData<JobTotals>(jobKeys.totals);
      if (jobs && totals) {
        takeJobs(client, { jobs, totals }, (queryKey) => void client.invalidateQueries({ queryKey }));
      }
      void client.invalidateQueries({ queryKey: ["jobs"] });
      void client.invalidateQueries({ queryKey: ["studies"] });
    },
  });
}

export function submitSend(wanted: NewSend): Promise<Job> {
  return send<Job>("POST", "/sends", wanted);
}

export function submitRetrieval(wanted: NewRetrieval): Promise<Job> {
  return send<Job>("POST", "/retrievals", wanted);
}
