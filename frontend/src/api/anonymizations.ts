/** Anonymizing: by which options of the profile (PS3.15 section E.3), and what would become of one object. */

import { get, send } from "./client";
import type { Place } from "./studies";
import type { AnonymizationPreview, Job, NewAnonymization } from "./types";

export function submitAnonymization(wanted: NewAnonymization): Promise<Job> {
  return send<Job>("POST", "/anonymizations", wanted);
}

export function previewAnonymization(
  { study, series, instance, database }: Place,
  options: readonly string[],
  signal?: AbortSignal,
): Promise<AnonymizationPreview> {
  return get<AnonymizationPreview>(
    "/preview-anonymization",
    // An empty name would be one that there is not.
    { study, series, instance, ...(database && { database }), options: [...options] },
    signal,
  );
}
