/** Numbers of regions, in few words. */
import type { KeptRegion, Numbers } from "../../api/workstation";
import { figure } from "../model/words";

/** Beside the region in a pane: "SUVbw max 8.20 peak 7.10 mean 4.90", "HU 39.0 ± 12.0"; lines of so many letters. */
export function labelOf({ unit, max, peak, mean, sd, volume_ml }: Numbers, letters: number): string[] {
  if (mean === null) return [];
  if (peak === null && !unit.startsWith("SUV")) return [`${unit} ${figure(mean)} ± ${figure(sd)}`];
  const parts = [`${unit} max ${figure(max)}`, peak === null ? "" : `peak ${figure(peak)}`, `mean ${figure(mean)}`, volume_ml === null ? "" : `${figure(volume_ml)} ml`];
  return parts.filter(Boolean).reduce<string[]>((lines, part) => {
    const longer = `${lines.at(-1) ?? ""} ${part}`.trim();
    return lines.length > 0 && longer.length <= letters ? [...lines.slice(0, -1), longer] : [...lines, part];
  }, []);
}

export interface Changed {
  name: string;
  prior: number;
  current: number;
  /** null where the prior has 0. */
  percent: number | null;
}

const COMPARED: readonly (readonly [keyof Numbers, string])[] = [
  ["max", "max"],
  ["peak", "peak"],
  ["mean", "mean"],
];

/** What the place holds now and held then; null: the two cannot be compared, and the sentence says why. */
export function changesAt(region: KeptRegion, prior: string): Changed[] | string {
  const now = region.numbers.find(({ SeriesInstanceUID }) => SeriesInstanceUID === region.series);
  const then = region.numbers.find(({ SeriesInstanceUID }) => SeriesInstanceUID === prior);
  if (!now || !then || region.series === prior) return "";
  if (then.mean === null) return `Not carried to the prior: ${then.findings[0] ?? "it has no number there"}`;
  if (then.unit !== now.unit) return `The prior is in ${then.unit}, not in ${now.unit}.`;
  return COMPARED.flatMap(([key, name]) => {
    const [current, before] = [now[key], then[key]];
    if (typeof current !== "number" || typeof before !== "number") return [];
    return [{ name, prior: before, current, percent: before ? (100 * (current - before)) / before : null }];
  });
}

/** "+12 %" */
export function percentWords(percent: number | null): string {
  if (percent === null) return "–";
  return `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${String(Math.abs(Math.round(percent)))} %`;
}
