/** The arrivals of the last day as bars. */

import type { Status } from "../../api/types";

export type Arrival = Status["arrivals"][number];

export interface Bar {
  arrival: Arrival;
  x: number;
  width: number;
  /** From the bottom line up; 0 for an hour without arrivals. */
  height: number;
}

export interface Chart {
  bars: Bar[];
  /** Values of the horizontal lines, the lowest first. */
  lines: { value: number; y: number }[];
}

const STEPS = [1, 2, 5];

/** A round number that is not below: 1, 2, 5, 10, 20, ... */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((each) => each * power >= value);
  return (step ?? 10) * power;
}

const GAP = 2;
/** What is there must be seen, however little it is. */
const LEAST_HEIGHT = 2;

export function chartOf(arrivals: Arrival[], width: number, height: number): Chart {
  const top = roundUp(Math.max(0, ...arrivals.map((each) => each.objects)));
  const step = width / Math.max(1, arrivals.length);
  const bars = arrivals.map((arrival, place) => ({
    arrival,
    x: place * step + GAP / 2,
    width: Math.max(1, step - GAP),
    height: arrival.objects === 0 ? 0 : Math.max(LEAST_HEIGHT, (arrival.objects / top) * height),
  }));
  const values = Number.isInteger(top / 2) ? [0, top / 2, top] : [0, top];
  return { bars, lines: values.map((value) => ({ value, y: height - (value / top) * height })) };
}

export function totalOf(arrivals: Arrival[]): { objects: number; size_bytes: number } {
  return arrivals.reduce(
    (sum, each) => ({ objects: sum.objects + each.objects, size_bytes: sum.size_bytes + each.size_bytes }),
    { objects: 0, size_bytes: 0 },
  );
}
