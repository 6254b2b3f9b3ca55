/** Recordings on paper: how channels stand on it, and how large a second and a unit are. No drawing here. */
import type { WaveformChannel } from "../../../api/documents";

export type Format = "rows" | "six" | "standard";

export interface FormatPlan {
  value: Format;
  label: string;
  rows: number;
  columns: number;
  /** A channel over the whole length below the others. */
  hasRhythm: boolean;
  row_mm: number;
}

const ROWS: FormatPlan = { value: "rows", label: "One below the other", rows: 0, columns: 1, hasRhythm: false, row_mm: 15 };

/** Those of twelve leads, as they are printed everywhere. */
const OF_TWELVE: readonly FormatPlan[] = [
  { value: "standard", label: "3 × 4 and rhythm", rows: 3, columns: 4, hasRhythm: true, row_mm: 25 },
  { value: "six", label: "6 × 2", rows: 6, columns: 2, hasRhythm: false, row_mm: 20 },
];

export function formatsOf(channels: number): readonly FormatPlan[] {
  return channels === 12 ? [{ ...ROWS, label: "12 × 1" }, ...OF_TWELVE] : [ROWS];
}

/** A channel for some seconds, at its place on the paper. */
export interface Strip {
  channel: number;
  from_s: number;
  seconds: number;
  row: number;
  column: number;
}

/** Columns show one stretch of time after the other, as a printer does. */
export function stripsOf(plan: FormatPlan, channels: number, seconds: number, rhythm: number): Strip[] {
  const rows = plan.rows || channels;
  const part = seconds / plan.columns;
  const strips = Array.from({ length: Math.min(rows * plan.columns, channels) }, (_, channel): Strip => {
    const column = Math.floor(channel / rows);
    return { channel, from_s: column * part, seconds: part, row: channel % rows, column };
  });
  if (plan.hasRhythm) strips.push({ channel: rhythm, from_s: 0, seconds, row: rows, column: 0 });
  return strips;
}

export function rowsOf(plan: FormatPlan, channels: number): number {
  return (plan.rows || channels) + (plan.hasRhythm ? 1 : 0);
}

/** "II" of "Lead II", "aVR" of "Lead aVR (augmented)". */
export function leadOf(name: string): string {
  return /^Lead\s+([^\s(]+)/i.exec(name)?.[1] ?? name;
}

/** Lead II shows the rhythm. */
export function rhythmOf(channels: readonly WaveformChannel[]): number {
  return Math.max(channels.findIndex((each) => leadOf(each.name) === "II"), 0);
}

const MV: Record<string, number | undefined> = { nV: 1e-6, uV: 1e-3, mV: 1, V: 1e3 };

/** What a value of this unit is in mV; undefined where it is no voltage. */
export function mvOf(unit: string): number | undefined {
  return MV[unit];
}

export interface ChannelScale {
  mm_per_unit: number;
  /** Drawn on the middle of the row. */
  middle: number;
  /** "10 mm/mV", "20 mmHg/cm" */
  words: string;
}

/** Voltages to the scale that was asked for, about zero; all else so that it fits its row. */
export function scaleOf(channel: WaveformChannel, values: Float32Array, gain_mm_per_mv: number, row_mm: number): ChannelScale {
  const mv = mvOf(channel.unit);
  if (mv !== undefined) return { mm_per_unit: gain_mm_per_mv * mv, middle: 0, words: "" };
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return { mm_per_unit: 1, middle: Number.isFinite(low) ? low : 0, words: channel.unit };
  const per_cm = roundUp((10 * (high - low)) / (0.8 * row_mm));
  return { mm_per_unit: 10 / per_cm, middle: (low + high) / 2, words: `${String(per_cm)} ${channel.unit}/cm`.replace(" /", "/") };
}

/** The next 1, 2 or 5 with zeros. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9)) ?? 10) * power;
}

export interface Measured {
  ms: number;
  per_minute: number;
  mv: number;
}

/** Between two points of the paper, by its grid. */
export function measured(right_mm: number, up_mm: number, speed_mm_per_s: number, gain_mm_per_mv: number): Measured {
  const ms = Math.abs((1000 * right_mm) / speed_mm_per_s);
  return { ms, per_minute: ms > 0 ? 60_000 / ms : 0, mv: up_mm / gain_mm_per_mv };
}
