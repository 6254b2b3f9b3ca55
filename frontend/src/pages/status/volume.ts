/** How full the volume is, in parts of its size. */

import type { Status } from "../../api/types";

export interface Gauge {
  /** 0 to 1. */
  used: number;
  reserve: number;
  /** "full": nothing more is stored; "low": less than a tenth is left above the reserve. */
  state: "fine" | "low" | "full";
  /** What can still be stored. */
  usable_bytes: number;
}

const LOW_PART = 0.1;

export function gaugeOf({ free_bytes, size_bytes, reserve_bytes }: Status["volume"]): Gauge {
  const usable = Math.max(0, free_bytes - reserve_bytes);
  const part = (bytes: number): number => (size_bytes > 0 ? Math.min(1, Math.max(0, bytes / size_bytes)) : 0);
  return {
    used: part(size_bytes - free_bytes),
    reserve: part(Math.min(reserve_bytes, free_bytes)),
    state: usable === 0 ? "full" : part(usable) < LOW_PART ? "low" : "fine",
    usable_bytes: usable,
  };
}
