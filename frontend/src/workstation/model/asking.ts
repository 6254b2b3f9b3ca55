/** Which numbers the service is being asked for just now. */
import { create } from "zustand";

interface Asking {
  /** Regions that are being made anew, by id. */
  regions: readonly string[];
  /** Regions that are being made and have no id yet. */
  making: number;
}

export const useAsking = create<Asking>()(() => ({ regions: [], making: 0 }));

/** Says so while it is asked for. */
export async function whileAsking<T>(region: string | null, ask: () => Promise<T>): Promise<T> {
  const change = (by: 1 | -1) => {
    useAsking.setState(({ regions, making }) => {
      if (region === null) return { making: making + by };
      const first = regions.indexOf(region);
      return { regions: by === 1 ? [...regions, region] : regions.filter((_, which) => which !== first) };
    });
  };
  change(1);
  try {
    return await ask();
  } finally {
    change(-1);
  }
}

/** Runs the newest of what is wanted of a thing, one at a time; what came in between is left out. */
export function newestOnly<T>(run: (thing: string, wish: T) => Promise<unknown>): (thing: string, wish: T) => void {
  const next = new Map<string, T>();
  const running = new Set<string>();
  const go = async (thing: string) => {
    running.add(thing);
    for (;;) {
      const wish = next.get(thing);
      if (wish === undefined) break;
      next.delete(thing);
      await run(thing, wish);
    }
    running.delete(thing);
  };
  return (thing, wish) => {
    next.set(thing, wish);
    if (!running.has(thing)) void go(thing);
  };
}
