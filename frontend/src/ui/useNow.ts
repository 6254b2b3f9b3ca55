/** One clock for everything that says how long ago something was. */
import { useSyncExternalStore } from "react";

const TICK_MS = 15_000;

let now = Date.now() / 1000;
let timer: number | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now() / 1000;
  listeners.forEach((tell) => {
    tell();
  });
}

function subscribe(tell: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now() / 1000;
    timer = window.setInterval(tick, TICK_MS);
  }
  listeners.add(tell);
  return () => {
    listeners.delete(tell);
    if (listeners.size === 0) window.clearInterval(timer);
  };
}

/** Seconds since 1970, renewed four times a minute. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
