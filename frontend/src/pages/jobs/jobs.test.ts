import { describe, expect, it } from "vitest";

import type { Job, JobTotals } from "../../api/types";
import { ListSelection } from "./selection";
import { actionLabel, attemptText, countOf, groupOf, isTrouble, itemWord, kindLabel, progressText, storyOf } from "./words";

const JOB: Job = {
  id: 3,
  kind: "send",
  lane: "PACS1",
  title: "240 objects to PACS1",
  peer: "PACS1",
  state: "waiting",
  priority: 5,
  attempt: 2,
  retries: 5,
  created_s: 1000,
  started_s: 1001,
  finished_s: null,
  next_attempt_s: 1060,
  message: "PACS1 cannot be reached. Check that it runs.",
  pending: 60,
  sent: 178,
  warned: 2,
  failed: 0,
  actions: ["resume", "cancel"],
};
const DELETION: Job = { ...JOB, kind: "delete", message: "", attempt: 0, retries: 0, pending: 240, sent: 0, warned: 0, next_attempt_s: 1300 };
const TOTALS: JobTotals = { queued: 1, running: 2, waiting: 3, paused: 4, done: 5, failed: 6, cancelled: 7 };

describe("a job tells", () => {
  it("what it waits for and what to do", () => {
    expect(storyOf(JOB, 1026)).toBe("PACS1 cannot be reached. Check that it runs. Tries again in 34 s.");
    expect(storyOf(JOB, 1099)).toContain("Tries again now.");
    expect(isTrouble(JOB)).toBe(true);
  });

  it("nothing when all is well", () => {
    expect(storyOf({ ...JOB, state: "done", message: "" }, 0)).toBe("");
    expect(storyOf({ ...JOB, state: "cancelled", message: "cancelled by the user" }, 0)).toBe("");
    expect(isTrouble({ ...JOB, state: "running" })).toBe(false);
  });

  it("how far it is and at which attempt", () => {
    expect(progressText(JOB)).toBe("180 of 240");
    const one: Job = { ...JOB, kind: "export media", state: "running", sent: 0, warned: 0, failed: 0, pending: 1 };
    expect(progressText({ ...one, message: "written: 45 of 99 MB, 9 MB/s, 6 s left, 51 %" })).toBe("51 %");
    expect(progressText({ ...one, message: "1,200 of 4,800 files, 600 a second" })).toBe("25 %");
    expect(progressText({ ...one, message: "" })).toBe("0 of 1");
    expect(progressText({ ...one, state: "done", pending: 0, sent: 1, message: "19 objects, 45 %" })).toBe("1");
    expect(progressText({ ...JOB, pending: 0, failed: 60 })).toBe("240");
    expect(progressText({ ...JOB, pending: 0, sent: 0, warned: 0 })).toBe("");
    expect(attemptText(JOB)).toBe("attempt 2 of 6");
    expect(attemptText({ ...JOB, attempt: 9 })).toBe("attempt 9");
    expect(attemptText({ ...JOB, attempt: 1 })).toBe("");
  });

  it("what it is, also of a kind that is not known here", () => {
    expect(kindLabel("send")).toBe("Send");
    expect(kindLabel("make-tea")).toBe("Make tea");
    expect(itemWord("retrieve", "sent")).toBe("retrieved");
    expect(itemWord("make-tea", "sent")).toBe("done");
    expect(itemWord("send", "warned")).toBe("with a warning");
  });
});

describe("a deletion that can be undone", () => {
  it("says until when, and calls its actions so", () => {
    expect(storyOf(DELETION, 1000)).toBe("Deleted in 5 min; until then it can be undone.");
    expect(actionLabel(DELETION, "cancel")).toBe("Undo");
    expect(actionLabel(DELETION, "resume")).toBe("Delete now");
    expect(isTrouble(DELETION)).toBe(false);
  });

  it("is a deletion as any other job once it has begun", () => {
    expect(actionLabel({ ...DELETION, state: "running" }, "cancel")).toBe("Cancel");
    expect(actionLabel(JOB, "resume")).toBe("Try now");
  });
});

describe("groups of jobs", () => {
  it("count the states that they hold", () => {
    expect(countOf(groupOf("waiting"), TOTALS)).toBe(8);
    expect(countOf(groupOf("done"), TOTALS)).toBe(12);
    expect(countOf(groupOf("all"), TOTALS)).toBe(28);
    expect(countOf(groupOf("all"), undefined)).toBeNull();
  });

  it("are all jobs when the address says nonsense", () => {
    expect(groupOf("<script>").name).toBe("all");
    expect(groupOf(null).name).toBe("all");
  });
});

describe("a selection", () => {
  const order = [9, 8, 7, 6, 5];

  it("toggles one and extends from the last one", () => {
    const first = new ListSelection().toggle(8);
    expect([...first.extend(6, order).ids].sort()).toEqual([6, 7, 8]);
    expect(first.toggle(8).size).toBe(0);
    expect([...new ListSelection().extend(7, order).ids]).toEqual([7]);
  });

  it("forgets what has left the list", () => {
    const chosen = new ListSelection().toggle(8).toggle(5);
    expect([...chosen.within([5]).ids]).toEqual([5]);
    expect(chosen.within(order)).toBe(chosen);
  });
});
