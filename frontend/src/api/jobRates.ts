/** How fast jobs go: from what the events of the last seconds said. */

import type { Job } from "./types";

interface Sample {
  at_s: number;
  done: number;
}

export interface Rate {
  per_s: number;
  left_s: number;
}

const WINDOW_S = 20;
const LEAST_S = 1.5;
const KEPT_JOBS = 500;

const samplesOfJob = new Map<string, Sample[]>();

export function doneOf(job: Job): number {
  return job.sent + job.warned + job.failed;
}

export function totalOf(job: Job): number {
  return job.pending + doneOf(job);
}

// Attempts are apart: between two of them a job stood still.
function keyOf(job: Job): string {
  return `${job.id}/${job.attempt}`;
}

export function watchRate(job: Job, now_s: number = Date.now() / 1000): void {
  const key = keyOf(job);
  if (job.state !== "running") {
    samplesOfJob.delete(key);
    return;
  }
  const samples = (samplesOfJob.get(key) ?? []).filter((sample) => sample.at_s >= now_s - WINDOW_S);
  samples.push({ at_s: now_s, done: doneOf(job) });
  samplesOfJob.delete(key);
  samplesOfJob.set(key, samples);
  const oldest = samplesOfJob.size > KEPT_JOBS ? samplesOfJob.keys().next().value : undefined;
  if (oldest !== undefined) samplesOfJob.delete(oldest);
}

/** null while nothing can be said. */
export function rateOf(job: Job, now_s: number = Date.now() / 1000): Rate | null {
  if (job.state !== "running" || job.pending === 0) return null;
  const per_s = ofSamples(samplesOfJob.get(keyOf(job)) ?? []) ?? sinceStart(job, now_s);
  return per_s === null || per_s <= 0 ? null : { per_s, left_s: job.pending / per_s };
}

function ofSamples(samples: Sample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.at_s - first.at_s < LEAST_S) return null;
  return (last.done - first.done) / (last.at_s - first.at_s);
}

function sinceStart(job: Job, now_s: number): number | null {
  // What earlier attempts did would count as if this one had done it.
  if (job.attempt !== 1 || job.started_s === null || now_s - job.started_s < LEAST_S) return null;
  return doneOf(job) / (now_s - job.started_s);
}
