/** What goes on with a study, in words. */
import type { Badge } from "../../api/types";
import { formatDuration } from "../../ui";

export type Leaving = Extract<Badge, { kind: "leaving" }>;

export function leavingOf(badges: readonly Badge[]): Leaving | undefined {
  return badges.find((badge): badge is Leaving => badge.kind === "leaving");
}

/** "deleted in 4 min". Minutes are exact enough until the last one. */
export function leavingWords({ due_s }: Leaving, now_s: number): string {
  const left = due_s - now_s;
  if (left <= 1) return "deleting now";
  return `deleted in ${formatDuration(left < 60 ? Math.ceil(left) : Math.round(left / 60) * 60)}`;
}

/** Beside the sign of sending; on hover all of them. */
export function sentWords(peers: readonly string[]): string {
  const [first = "a peer", ...rest] = peers;
  return rest.length > 0 ? `${first} +${String(rest.length)}` : first;
}
