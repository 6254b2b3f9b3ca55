/**
 * What a live event does to what is already read: jobs are put into their lists, nothing is asked again for that.
 */

import type { InfiniteData, QueryClient, QueryKey } from "@tanstack/react-query";

import { watchRate } from "./jobRates";
import type { ArchiveEvent, Job, JobPage, JobState, JobsEvent } from "./types";

/** What a list of jobs is about; it is the third element of the list's query key. */
export interface JobFilter {
  states: JobState[];
  kind?: string;
  peer?: string;
}

export const jobKeys = {
  list: (filter: JobFilter): QueryKey => ["jobs", "list", filter],
  totals: ["jobs", "totals"] as QueryKey,
  one: (id: number): QueryKey => ["jobs", "one", id],
  items: (id: number): QueryKey => ["jobs", "items", id],
};

function belongs(job: Job, filter: JobFilter): boolean {
  return (
    (filter.states.length === 0 || filter.states.includes(job.state)) &&
    (!filter.kind || job.kind === filter.kind) &&
    (!filter.peer || job.peer === filter.peer)
  );
}

/** The pages of a list (newest first) with these jobs as they are now: changed, put in or taken out. */
export function mergeJobs(pages: JobPage[], filter: JobFilter, changed: Job[]): JobPage[] {
  const now = new Map(changed.map((job) => [job.id, job]));
  const known = new Set<number>();
  const merged = pages.map((page) => ({
    ...page,
    jobs: page.jobs
      .map((job) => now.get(job.id) ?? job)
      .filter((job) => {
        known.add(job.id);
        return belongs(job, filter);
      }),
  }));
  for (const job of changed) {
    if (!known.has(job.id) && belongs(job, filter)) insert(merged, job);
  }
  return merged;
}

/** Into the page where its number belongs; not beyond the end of what is read, where paging will find it. */
function insert(pages: JobPage[], job: Job): void {
  for (const page of pages) {
    const at = page.jobs.findIndex((other) => other.id < job.id);
    if (at >= 0) {
      page.jobs.splice(at, 0, job);
      return;
    }
  }
  const last = pages.at(-1);
  if (last && !last.has_more) last.jobs.push(job);
}

/** Put a "jobs" event into the cache. `soon` asks a query again within the second, however often it is called. */
export function takeJobs(client: QueryClient, event: JobsEvent, soon: (key: QueryKey) => void): void {
  client.setQueryData(jobKeys.totals, event.totals);
  for (const job of event.jobs) {
    watchRate(job);
    client.setQueryData<Job>(jobKeys.one(job.id), (old) => (old ? job : undefined));
    // Shown from a list until its own answer comes, which may be older than this event.
    if (client.getQueryState(jobKeys.one(job.id))?.fetchStatus === "fetching") soon(jobKeys.one(job.id));
    if (client.getQueryCache().find({ queryKey: jobKeys.items(job.id), exact: false })) soon(jobKeys.items(job.id));
  }
  for (const query of client.getQueryCache().findAll({ queryKey: ["jobs", "list"] })) {
    const filter = query.queryKey[2] as JobFilter;
    client.setQueryData<InfiniteData<JobPage>>(query.queryKey, (old) =>
      old ? { ...old, pages: mergeJobs(old.pages, filter, event.jobs) } : old,
    );
    // An answer under way may be older than this event and would undo it.
    if (query.state.fetchStatus === "fetching") soon(query.queryKey);
  }
}

/** Whether an "archive" event may have changed what a query of ["studies", ...] has read. */
export function concerns(event: ArchiveEvent, key: QueryKey): boolean {
  if (key[0] !== "studies") return false;
  const [, subject, study] = key;
  const isOfOneStudy = subject === "here" || subject === "one";
  return !isOfOneStudy || event.studies.length === 0 || event.studies.includes(String(study));
}
