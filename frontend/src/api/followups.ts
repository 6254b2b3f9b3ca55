/** Follow-up: what a study can be compared with, the comparing as a job, and its tables. */
import { get, send } from "./client";
import type { Job } from "./types";
import type { FollowupTable, PriorsOfSeries } from "./workstation";

export const followupKeys = {
  tables: (study: string, database: string) => ["followups", database, study],
  priors: (study: string, database: string) => ["priors", database, study],
};

export function readPriors(study: string, database: string, signal?: AbortSignal): Promise<PriorsOfSeries[]> {
  return get(`/studies/${encodeURIComponent(study)}/priors`, { database }, signal);
}

export function readFollowups(study: string, database: string, signal?: AbortSignal): Promise<FollowupTable[]> {
  return get("/followups", { study, database }, signal);
}

/** The lesions are those that the prior's study keeps; what comes of it is kept in the study of `current`. */
export function followUp(current: string, prior: string, database: string): Promise<Job> {
  return send("POST", "/followups", { current, prior, ...(database && { database }) });
}
