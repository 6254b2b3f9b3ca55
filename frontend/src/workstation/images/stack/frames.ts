/** Places and rates of the pictures of a series. */
import type { Instance } from "../../../api/types";

export function indexOf(instances: readonly Instance[], uid: string): number {
  return instances.findIndex((each) => each.SOPInstanceUID === uid);
}

/** Rates that one can choose, as shares of the object's own. */
export const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4] as const;

export function faster(speed: number, by: 1 | -1): number {
  const at = SPEEDS.findIndex((each) => each === speed);
  return SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)] ?? 1;
}

/** The rate that was reached, from the times of the last pictures (ms); 0 before there are two. */
export function rateOf(times_ms: readonly number[]): number {
  const [first] = times_ms;
  const last = times_ms.at(-1);
  return first !== undefined && last !== undefined && last > first ? (1000 * (times_ms.length - 1)) / (last - first) : 0;
}
