/** What can be exported of what is open. */
import type { ExportItem } from "../../api/exports";
import type { PictureAsk, View } from "../../api/workstation";
import { knownSeries } from "../model/hooks";
import { viewsOf } from "../model/document";
import type { WorkspaceStore } from "../model/state";
import { titleWords } from "../model/words";
import { formatCounted } from "../../ui/format";
import { cinePixels, lookOf, overlayOf, pictureOf, wholeRange } from "./pictures";

export interface Offer {
  key: string;
  group: string;
  label: string;
  item: ExportItem;
}

/** What is said of all that is chosen. */
export interface Options {
  /** Patient, date, sides and windows are written on pictures. */
  isAnnotated: boolean;
  title: string;
  /** Of the report, in the reader's own words. */
  text: string;
}

export const NO_OPTIONS: Options = { isAnnotated: false, title: "Report", text: "" };

const written = (picture: PictureAsk): PictureAsk => ({ ...picture, annotate: true });

/** An item as the options want it. */
export function withOptions(item: ExportItem, { isAnnotated, title, text }: Options): ExportItem {
  if (item.kind === "report") {
    const pictures = (item.pictures ?? []).map((each) => (isAnnotated ? { ...each, picture: written(each.picture) } : each));
    return { ...item, title: title.trim() || NO_OPTIONS.title, text: text.trim(), pictures };
  }
  if (!isAnnotated) return item;
  if (item.kind === "snapshot" || item.kind === "bookmark") return { ...item, annotate: true };
  if (item.kind === "cine") return { ...item, pictures: item.pictures.map(written) };
  return item;
}

/** Whether an option changes any of them. */
export const isPicture = ({ kind }: ExportItem): boolean => ["snapshot", "bookmark", "cine", "report"].includes(kind);

const FRAMES = 36;
const PLANES = ["axial", "coronal", "sagittal"] as const;

export function offersOf(state: WorkspaceStore): Offer[] {
  return [...drawn(state), ...pictures(state), ...series(state), ...bookmarks(state)];
}

/** What a reader leaves behind as a rule: regions, their numbers, the report. */
export const usual = (offers: readonly Offer[]): string[] =>
  offers.filter(({ key }) => ["seg", "numbers", "report", "registration"].includes(key.split(" ")[0] ?? "")).map(({ key }) => key);

function drawn(state: WorkspaceStore): Offer[] {
  const { regions, lines } = state.doc;
  const group = "Regions and numbers";
  const found: Offer[] = [];
  if (regions.length) {
    const words = formatCounted(regions.length, "region");
    found.push({ key: "seg", group, label: `${words} as Segmentation`, item: { kind: "regions", as: "SEG" } });
    found.push({ key: "rtstruct", group, label: `${words} as RT Structure Set`, item: { kind: "regions", as: "RTSTRUCT" } });
  }
  if (regions.length + lines.length) {
    found.push({ key: "numbers", group, label: "Measurements as structured report", item: { kind: "numbers" } });
    const ids = [...regions, ...lines].map(({ id }) => id);
    const shots = pictureOf(state, "axial");
    found.push({
      key: "report", group, label: "Report for people (PDF)",
      item: { kind: "report", title: "Report", ids, pictures: shots ? [{ picture: shots, caption: "Axial" }] : [] },
    });
  }
  return found;
}

function pictures(state: WorkspaceStore): Offer[] {
  const group = "Pictures";
  const found: Offer[] = [];
  for (const plane of PLANES) {
    const picture = pictureOf(state, plane);
    if (picture) found.push({ key: `snapshot ${plane}`, group, label: `This ${plane} plane`, item: { kind: "snapshot", picture } });
  }
  for (const axis of PLANES) {
    const picture = pictureOf(state, axis, cinePixels(state));
    const range = wholeRange(state, axis);
    if (picture && range) found.push({ key: `cine ${axis}`, group, label: `Cine of all ${axis} planes`, item: { kind: "cine", pictures: [picture], range } });
  }
  return [...found, ...rotating(state, group)];
}

function rotating(state: WorkspaceStore, group: string): Offer[] {
  const { base, overlay } = state.doc;
  const found: Offer[] = [];
  for (const view of [base, overlay]) {
    const look = view && lookOf(state, view);
    if (view && look && state.facts[view.series]?.rotating) {
      const item = { kind: "rotating", view, window: look.window, frames: FRAMES } as const;
      found.push({ key: `rotating ${view.series}`, group, label: `Rotating MIP of ${named(state, view)}`, item });
    }
  }
  const over = overlayOf(state);
  const look = base && lookOf(state, base);
  if (base && look && over.overlay && over.overlay_window) {
    const { overlay_colours = "hot-iron", blend = 0.5 } = over;
    found.push({
      key: "rotating fused", group, label: "Rotating MIP of both, fused",
      item: {
        kind: "rotating", view: base, window: look.window, colours: look.colours,
        overlay: over.overlay, overlay_window: over.overlay_window, overlay_colours, blend, frames: FRAMES,
      },
    });
  }
  return found;
}

const RESAMPLED = ["CT", "MR", "PT", "NM"];

function series(state: WorkspaceStore): Offer[] {
  const { base } = state.doc;
  const found: Offer[] = [];
  for (const view of viewsOf(state.doc)) {
    const facts = state.facts[view.series];
    const name = named(state, view);
    found.push({ key: `images ${view.series}`, group: "Series", label: `${name}: stored images`, item: { kind: "images", series: view.series } });
    const kind = facts?.alignment.kind;
    if (base && facts && (kind === "same frame" || kind === "registered") && RESAMPLED.includes(facts.Modality)) {
      const label = `${name}: resampled on ${named(state, base)}`;
      found.push({ key: `volume ${view.series}`, group: "Series", label, item: { kind: "volume", view, onto: base.series, grid: "base" } });
      // In one frame of reference there is nothing to carry.
      if (kind === "registered") {
        const own = `${name}: carried onto ${named(state, base)}, on its own voxels`;
        found.push({ key: `own ${view.series}`, group: "Series", label: own, item: { kind: "volume", view, onto: base.series, grid: "own" } });
      }
    }
    for (const uid of new Set(facts?.alignment.steps.map((step) => step.registration))) {
      found.push({ key: `registration ${uid}`, group: "Series", label: `${name}: its registration`, item: { kind: "registration", SOPInstanceUID: uid } });
    }
  }
  return found;
}

function bookmarks(state: WorkspaceStore): Offer[] {
  return state.doc.bookmarks.map(({ id, name }) => ({
    key: `bookmark ${id}`, group: "Bookmarks", label: name, item: { kind: "bookmark", id },
  }));
}

function named(state: WorkspaceStore, view: View): string {
  return titleWords(knownSeries(state.opening?.studies ?? [], view.series, state.facts[view.series]));
}
