import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";

import { concerns, jobKeys, mergeJobs, takeJobs } from "./liveCache";
import type { Job, JobPage, JobTotals } from "./types";

function job(id: number, values: Partial<Job> = {}): Job {
  return {
    id,
    kind: "send",
    lane: "PACS1",
    title: `10 objects to PACS1`,
    peer: "PACS1",
    state: "running",
    priority: 5,
    attempt: 1,
    retries: 5,
    created_s: 1000,
    started_s: 1001,
    finished_s: null,
    next_attempt_s: null,
    message: "",
    pending: 10,
    sent: 0,
    warned: 0,
    failed: 0,
    actions: ["pause", "cancel"],
    ...values,
  };
}

const TOTALS: JobTotals = { queued: 0, running: 1, waiting: 0, paused: 0, done: 0, failed: 0, cancelled: 0 };

function idsOf(pages: JobPage[]): number[][] {
  return pages.map((page) => page.jobs.map((each) => each.id));
}

describe("a list of jobs", () => {
  const pages: JobPage[] = [
    { jobs: [job(9), job(7)], has_more: true },
    { jobs: [job(5), job(3)], has_more: false },
  ];

  it("shows a job as it is now, in its place", () => {
    const merged = mergeJobs(pages, { states: [] }, [job(7, { sent: 4, pending: 6 })]);
    expect(idsOf(merged)).toEqual([[9, 7], [5, 3]]);
    expect(merged[0]?.jobs[1]?.sent).toBe(4);
  });

  it("takes a job out that does not belong to it any more", () => {
    expect(idsOf(mergeJobs(pages, { states: ["running"] }, [job(9, { state: "done" })]))).toEqual([[7], [5, 3]]);
  });

  it("takes a new job in at its beginning and an old one where its number belongs", () => {
    expect(idsOf(mergeJobs(pages, { states: [] }, [job(12), job(4)]))).toEqual([[12, 9, 7], [5, 4, 3]]);
  });

  it("leaves jobs beyond what is read to paging, but takes the last one at the true end", () => {
    const unfinished = [{ jobs: [job(9)], has_more: true }];
    expect(idsOf(mergeJobs(unfinished, { states: [] }, [job(2)]))).toEqual([[9]]);
    expect(idsOf(mergeJobs(pages, { states: [] }, [job(2)]))).toEqual([[9, 7], [5, 3, 2]]);
    expect(idsOf(mergeJobs([{ jobs: [], has_more: false }], { states: [] }, [job(2)]))).toEqual([[2]]);
  });

  it("knows jobs of another peer or kind from its own", () => {
    const filter = { states: [], peer: "PACS1", kind: "send" };
    expect(idsOf(mergeJobs(pages, filter, [job(12, { peer: "OTHER" }), job(13, { kind: "delete" })]))).toEqual([[9, 7], [5, 3]]);
  });

  it("is not changed itself", () => {
    mergeJobs(pages, { states: [] }, [job(12)]);
    expect(idsOf(pages)).toEqual([[9, 7], [5, 3]]);
  });
});

describe("a jobs event", () => {
  it("changes what was read without asking again", () => {
    const client = new QueryClient();
    const soon = vi.fn();
    client.setQueryData(jobKeys.one(7), job(7));
    client.setQueryData(jobKeys.list({ states: [] }), { pages: [{ jobs: [job(7)], has_more: false }], pageParams: [undefined] });
    takeJobs(client, { jobs: [job(7, { state: "done" }), job(8)], totals: TOTALS }, soon);
    expect(client.getQueryData<Job>(jobKeys.one(7))?.state).toBe("done");
    expect(client.getQueryData(jobKeys.one(8))).toBeUndefined();
    expect(client.getQueryData(jobKeys.totals)).toEqual(TOTALS);
    expect(client.getQueryData<{ pages: JobPage[] }>(jobKeys.list({ states: [] }))?.pages[0]?.jobs.map((each) => each.id)).toEqual([8, 7]);
    expect(soon).not.toHaveBeenCalled();
  });

  it("has the instances of an open job read again, soon", () => {
    const client = new QueryClient();
    const soon = vi.fn();
    client.setQueryData([...jobKeys.items(7), null], { pages: [], pageParams: [] });
    takeJobs(client, { jobs: [job(7)], totals: TOTALS }, soon);
    expect(soon).toHaveBeenCalledWith(jobKeys.items(7));
  });
});

describe("an archive event", () => {
  const event = { studies: ["1.2.3"], database: "default" };

  it("concerns lists of studies and the studies that it names", () => {
    expect(concerns(event, ["studies", "list", ""])).toBe(true);
    expect(concerns(event, ["studies", "here", "1.2.3"])).toBe(true);
    expect(concerns(event, ["studies", "here", "9.9"])).toBe(false);
    expect(concerns(event, ["jobs", "totals"])).toBe(false);
  });

  it("concerns every study when it names none: there were too many", () => {
    expect(concerns({ ...event, studies: [] }, ["studies", "here", "9.9"])).toBe(true);
  });
});
