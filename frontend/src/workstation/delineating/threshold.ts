/** What the threshold tool goes by. */
import type { KeptRegion, Rule, ThresholdKind, Within } from "../../api/workstation";
import type { ToolOptions } from "../model/state";

export const KINDS: readonly { value: ThresholdKind; label: string; title: string }[] = [
  { value: "max", label: "% max", title: "Per cent of the hottest voxel" },
  { value: "absolute", label: "Value", title: "From a value on" },
  { value: "liver", label: "Liver", title: "From the liver's threshold on (PERCIST)" },
  { value: "adaptive", label: "Adaptive", title: "Half way from the background to the maximum" },
];

/** What the usual ones are: 41 % (EANM), SUV 4; the others need no number. */
export const USUAL: Record<ThresholdKind, number> = { max: 41, absolute: 4, liver: 0, adaptive: 0 };

export const LIVER = "Liver";
const LIVER_MM = 30;
/** An adaptive threshold needs a ball to look in. */
const SMALLEST_MM = 30;

/** The ball that PERCIST measures the liver in: the last one of that name. */
export function liverOf(regions: readonly KeptRegion[]): Within | null {
  const found = regions.filter(({ name, rule }) => name === LIVER && rule.kind === "sphere").at(-1);
  return found?.rule.kind === "sphere" ? { centre_mm: found.rule.centre_mm, diameter_mm: found.rule.diameter_mm } : null;
}

export function liverRule(centre_mm: Within["centre_mm"]): Rule {
  return { kind: "sphere", centre_mm, diameter_mm: LIVER_MM };
}

/** The rule of a click; words where something is missing first. */
export function thresholdRule(options: ToolOptions, seed_mm: Within["centre_mm"], regions: readonly KeptRegion[]): Rule | string {
  const { threshold_of: of, threshold: value, within_mm } = options;
  const within = within_mm > 0 ? { centre_mm: seed_mm, diameter_mm: within_mm } : null;
  if (of === "liver") {
    const liver = liverOf(regions);
    return liver ? { kind: "threshold", seed_mm, of, value: 0, within, liver } : "Mark the liver first: crosshair into its right lobe, then Mark the liver.";
  }
  if (of === "adaptive") {
    return { kind: "threshold", seed_mm, of, value: 0, within: within ?? { centre_mm: seed_mm, diameter_mm: SMALLEST_MM } };
  }
  return { kind: "threshold", seed_mm, of, value, within };
}
