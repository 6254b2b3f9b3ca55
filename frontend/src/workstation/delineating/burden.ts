/** The worklist of lesions from a threshold on: candidates, each accepted or left out. */
import { create } from "zustand";

import { askBurden } from "../../api/volumes";
import type { BurdenTotals, Numbers, Region, RegionShape, ThresholdOf } from "../../api/workstation";
import { failed } from "../../ui/undoable";
import { measuredView } from "../model/making";
import { useWorkspace } from "../model/store";
import { liverOf } from "./threshold";

/** What was left out, as it is listed. */
export interface Excluded {
  shape: RegionShape;
  numbers: Numbers | undefined;
}

interface Burden {
  /** The workspace and series that it is of. */
  workspace: string;
  series: string;
  candidates: readonly Region[];
  totals: BurdenTotals | null;
  excluded: readonly Excluded[];
  isAsking: boolean;
  /** The candidate that is looked at. */
  chosen: number | null;
}

export const NO_BURDEN: Burden = {
  workspace: "",
  series: "",
  candidates: [],
  totals: null,
  excluded: [],
  isAsking: false,
  chosen: null,
};

export const useBurden = create<Burden>()(() => NO_BURDEN);

export interface BurdenWish {
  threshold: ThresholdOf;
  minimum_ml: number;
}

/** The last question, for the next one with more or fewer left out. */
let last: BurdenWish | null = null;

/** The threshold of the options; a sentence where something is missing. */
export function burdenThreshold(): ThresholdOf | string {
  const { options, doc } = useWorkspace.getState();
  const { threshold_of: of, threshold: value } = options;
  if (of === "adaptive") return "An adaptive threshold is found lesion by lesion: take a value, a part of the maximum, or the liver.";
  if (of !== "liver") return { of, value };
  const liver = liverOf(doc.regions);
  return liver ? { of, value: 0, liver } : "Mark the liver first: crosshair into its right lobe, then Mark the liver.";
}

async function look(wish: BurdenWish, excluded: readonly Excluded[]): Promise<void> {
  const { id, doc, database, ...rest } = useWorkspace.getState();
  const view = measuredView({ doc, ...rest });
  if (!view || useBurden.getState().isAsking) return;
  useBurden.setState({ isAsking: true });
  const base = doc.base?.series ?? null;
  const also = doc.base && doc.base.series !== view.series ? [doc.base] : [];
  try {
    const exclude = excluded.map(({ shape }) => shape);
    const { regions, totals } = await askBurden({ series: view, ...wish, exclude, also, base }, database);
    last = wish;
    useBurden.setState({ workspace: id, series: view.series, candidates: regions, totals, excluded, chosen: null });
  } catch (error) {
    failed("No lesions were looked for", error);
  } finally {
    useBurden.setState({ isAsking: false });
  }
}

/** Look anew: nothing is left out. */
export function findLesions(wish: BurdenWish): Promise<void> {
  return look(wish, []);
}

/** Leave one out; the others and the totals come anew, as a per cent of the maximum may mean another value then. */
export function exclude(region: Region): Promise<void> {
  if (!last) return Promise.resolve();
  return look(last, [...useBurden.getState().excluded, { shape: region.shape, numbers: region.numbers[0] }]);
}

export function include(which: Excluded): Promise<void> {
  if (!last) return Promise.resolve();
  return look(last, useBurden.getState().excluded.filter((each) => each !== which));
}

/** Keep candidates as lesions of the workspace, as one change of the list. */
export function accept(regions: readonly Region[]): void {
  const { addRegion, setShown } = useWorkspace.getState();
  const { series, candidates } = useBurden.getState();
  for (const { shape, shown, numbers } of regions) {
    const id = addRegion({ name: "", kind: "lesion", series, rule: { kind: "shape", shape }, shape, numbers, is_visible: true });
    setShown(id, shown);
  }
  useBurden.setState({ candidates: candidates.filter((each) => !regions.includes(each)), chosen: null });
}

export function closeBurden(): void {
  last = null;
  useBurden.setState(NO_BURDEN);
}
