import type { UploadedFile } from "../api/types";

export interface Reason {
  state: UploadedFile["state"];
  text: string;
  files: string[];
}

/** The files that were not taken, by why: refused ones first, then the most frequent. */
export function byReason(results: readonly UploadedFile[]): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const { name, state, reason } of results) {
    const key = `${state} ${reason}`;
    const known = reasons.get(key);
    if (known) known.files.push(name);
    else reasons.set(key, { state, text: reason || state, files: [name] });
  }
  const rank = (reason: Reason) => (reason.state === "refused" ? 0 : 1);
  return [...reasons.values()].sort((one, other) => rank(one) - rank(other) || other.files.length - one.files.length);
}
