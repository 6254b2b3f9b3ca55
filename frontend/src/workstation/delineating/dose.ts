/** Dose over the images: how it is coloured. */
import { create } from "zustand";

interface DoseLook {
  /** Steps of one colour each: their edges are isodoses. */
  hasBands: boolean;
}

export const useDoseLook = create<DoseLook>()(() => ({ hasBands: true }));

export const GRAY = "Gy";
export const BANDS = 10;

/** The colours of a dose: nothing where there is next to none, and bands between isodoses. RGBA, 256 steps. */
export function washOf(colours: Uint8Array, hasBands: boolean): Uint8Array {
  const steps = colours.length / 4;
  const band = steps / BANDS;
  const made = new Uint8Array(colours.length);
  for (let step = 0; step < steps; step++) {
    const from = hasBands ? Math.min(steps - 1, Math.floor((Math.floor(step / band) + 0.5) * band)) : step;
    made.set(colours.subarray(4 * from, 4 * from + 4), 4 * step);
    // The lowest band is not shown: below it lies what is not looked at.
    if (step < band) made[4 * step + 3] = 0;
  }
  return made;
}

/** Doses at the edges of the bands, the highest first. */
export function isodosesOf(low: number, high: number): number[] {
  return Array.from({ length: BANDS }, (_, band) => low + ((BANDS - band) * (high - low)) / BANDS);
}
