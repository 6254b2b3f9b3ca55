/** Regions: the service says which voxels a rule takes, and what they hold. */
import { askRegion } from "../../api/volumes";
import type { KeptRegion, Region, RegionAsk, Rule, Vector, View } from "../../api/workstation";
import { failed } from "../../ui/undoable";
import { newestOnly, whileAsking } from "./asking";
import { viewsOf } from "./document";
import { asProposed } from "./placing";
import type { Known } from "./state";
import { useWorkspace } from "./store";

export interface Wishes {
  kind?: KeptRegion["kind"];
  name?: string;
  colour?: Vector;
  /** Whose voxels; without it the overlay's where one is shown, else the base's. */
  series?: string;
}

type Shown = Pick<Known, "doc" | "problems"> & Partial<Pick<Known, "proposed" | "placed">>;

/** The series that is measured on: functional images lie on top. */
export function measuredView({ doc, problems, proposed = null, placed }: Shown, series?: string): View | null {
  const all = viewsOf(doc).map((view) => asProposed(view, { doc, proposed }));
  // What is moved here in the page lies where the service does not know it.
  const upper = doc.overlay?.series === placed?.series ? undefined : doc.overlay?.series;
  const wanted = series ?? (upper !== undefined && !problems[upper] ? upper : doc.base?.series);
  return all.find((view) => view.series === wanted) ?? null;
}

function kindOf(rule: Rule): KeptRegion["kind"] {
  if (rule.kind === "object") return "structure";
  return rule.kind === "sphere" || rule.kind === "ellipse" ? "measurement" : "lesion";
}

/** The numbers of all series come at once: SUV and HU of the same place, and what the prior has there. */
export function askOf(state: Shown, view: View, rule: Rule, name: string): RegionAsk {
  const shown = [state.doc.base, state.doc.overlay, state.doc.prior].filter((each) => each !== null);
  // The prior is always asked for: where it is not registered, its numbers say so.
  const isThere = (each: View) =>
    (each === state.doc.prior || !state.problems[each.series]) && state.placed?.series !== each.series;
  const { doc, proposed = null } = state;
  const also = shown.filter((each) => each.series !== view.series && isThere(each)).map((each) => asProposed(each, { doc, proposed }));
  return { series: view, rule, also, name, base: state.doc.base?.series ?? null };
}

async function asked(ask: RegionAsk): Promise<Region | null> {
  try {
    return await askRegion(ask, useWorkspace.getState().database);
  } catch (error) {
    failed("No region was made", error);
    return null;
  }
}

/** Make a region by a rule and keep it. The answer is its id; null where it was refused, which is said. */
export async function makeRegion(rule: Rule, wishes: Wishes = {}): Promise<string | null> {
  const before = useWorkspace.getState();
  const view = measuredView(before, wishes.series);
  if (!view) return null;
  const name = wishes.name ?? "";
  const region = await whileAsking(null, () => asked(askOf(before, view, rule, name)));
  const now = useWorkspace.getState();
  // Another workspace was opened meanwhile.
  if (!region || now.id !== before.id) return null;
  const { shape, numbers, shown } = region;
  const kind = wishes.kind ?? kindOf(rule);
  const id = now.addRegion({
    name, kind, series: view.series, base: before.doc.base?.series ?? null, rule, shape, numbers, is_visible: true,
    ...(wishes.colour && { colour: wishes.colour }),
  }); // prettier-ignore
  now.setShown(id, shown);
  return id;
}

/** Rules of voxels; the points of all others lie in the frame of the base that they were drawn on. */
const OF_VOXELS: readonly Rule["kind"][] = ["shape", "combine", "margin", "carried", "object"];

/** How a region is asked for once more: in its own unit, its points in the frame that they were drawn in. */
function askAgain(state: Shown, view: View, kept: KeptRegion, rule: Rule): RegionAsk {
  const ask = askOf(state, { ...view, unit: numbersOf(kept)?.unit ?? view.unit }, rule, kept.name);
  return OF_VOXELS.includes(rule.kind) || !kept.base ? ask : { ...ask, base: kept.base };
}

/** Whether points on the present base go with those of a region's rule. */
export function isOnItsBase({ doc }: Pick<Known, "doc">, region: KeptRegion): boolean {
  return !region.base || region.base === doc.base?.series;
}

/** The same region by another rule, or by the same one moved. */
export async function remakeRegion(id: string, rule: Rule): Promise<boolean> {
  const before = useWorkspace.getState();
  const kept = before.doc.regions.find((region) => region.id === id);
  const view = kept && measuredView(before, kept.series);
  if (!view) return false;
  const region = await whileAsking(id, () => asked(askAgain(before, view, kept, rule)));
  const now = useWorkspace.getState();
  if (!region || !now.doc.regions.some((each) => each.id === id)) return false;
  now.changeRegion(id, { rule, shape: region.shape, numbers: region.numbers });
  now.setShown(id, region.shown);
  return true;
}

/** While a control is dragged: one question at a time, the newest next. */
export const refineRegion = newestOnly<Rule>(remakeRegion);

/** The lesions' sums; null where a lesion has no such number. */
export function totalsOf(regions: readonly KeptRegion[]): { volume_ml: number | null; tlg: number | null } {
  const lesions = regions.filter((region) => region.kind === "lesion");
  const sum = (key: "volume_ml" | "tlg") =>
    lesions.reduce<number | null>((total, region) => {
      const value = numbersOf(region)?.[key] ?? null;
      return total === null || value === null ? null : total + value;
    }, 0);
  return { volume_ml: sum("volume_ml"), tlg: sum("tlg") };
}

/** Of the series that the region was drawn on. */
export function numbersOf(region: KeptRegion) {
  return region.numbers.find((each) => each.SeriesInstanceUID === region.series);
}
