import { expect, it } from "vitest";

import { rateOf, watchRate } from "./jobRates";
import type { Job } from "./types";

function running(id: number, sent: number, values: Partial<Job> = {}): Job {
  const rest = { kind: "send", lane: "", title: "", peer: "", priority: 5, retries: 0, message: "", actions: [] };
  const times = { created_s: 0, started_s: 100, finished_s: null, next_attempt_s: null };
  return { id, state: "running", attempt: 1, pending: 1000 - sent, sent, warned: 0, failed: 0, ...rest, ...times, ...values };
}

it("the rate is that of the last seconds, and the time left follows from it", () => {
  watchRate(running(1, 0), 100);
  watchRate(running(1, 100), 110);
  const last = running(1, 500);
  watchRate(last, 120);
  expect(rateOf(last, 120)).toEqual({ per_s: 25, left_s: 20 });
  const later = running(1, 900);
  watchRate(later, 135);
  expect(rateOf(later, 135)?.per_s).toBeCloseTo(400 / 15);
});

it("before two samples the start of the first attempt is what there is", () => {
  expect(rateOf(running(2, 50), 105)?.per_s).toBe(10);
  expect(rateOf(running(2, 50, { attempt: 2 }), 105)).toBeNull();
  expect(rateOf(running(2, 0), 100.5)).toBeNull();
});

it("a job that does not run, or has nothing left, has no rate", () => {
  expect(rateOf(running(3, 50, { state: "paused" }), 105)).toBeNull();
  expect(rateOf(running(3, 1000), 105)).toBeNull();
});

it("a job that stands still says nothing of the time left", () => {
  watchRate(running(4, 100), 100);
  const still = running(4, 100);
  watchRate(still, 110);
  expect(rateOf(still, 110)).toBeNull();
});

it("an attempt knows nothing of the samples of the one before", () => {
  watchRate(running(5, 0), 100);
  watchRate(running(5, 900), 110);
  const again = running(5, 900, { attempt: 2 });
  watchRate(again, 111);
  expect(rateOf(again, 111)).toBeNull();
});
