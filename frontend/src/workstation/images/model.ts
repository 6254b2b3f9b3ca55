/** Which series the layout "images" shows, and how each is looked at. */
import { create } from "zustand";

import type { Opening, OpeningSeries, OpeningStudy, View, WorkspaceState } from "../../api/workstation";
import { useWorkspace } from "../model/store";

export const MOST_TILES = 6;

export type Sight = "stack" | "waveform" | "document";

const SIGHTS: Record<OpeningSeries["shows_as"], Sight> = {
  volume: "stack",
  images: "stack",
  cine: "stack",
  waveform: "waveform",
  document: "document",
  object: "document",
  nothing: "document",
};

export function sightOf(series: Pick<OpeningSeries, "shows_as">): Sight {
  return SIGHTS[series.shows_as];
}

export interface Placed {
  series: OpeningSeries;
  study: OpeningStudy;
}

/** A series of the patient, with its study. */
export function placeOf(opening: Opening | null, uid: string): Placed | undefined {
  for (const study of opening?.studies ?? []) {
    const series = study.series.find((each) => each.SeriesInstanceUID === uid);
    if (series) return { series, study };
  }
  return undefined;
}

/** What is shown: what was chosen, else the base, else the first series of the study that has pictures. */
export function tilesOf(doc: Pick<WorkspaceState, "images" | "base">, opening: Opening | null): string[] {
  const chosen = (doc.images ?? []).filter((uid) => placeOf(opening, uid));
  if (chosen.length) return chosen;
  if (doc.base) return [doc.base.series];
  const all = opening?.studies[0]?.series ?? [];
  const first = all.find((each) => sightOf(each) === "stack") ?? all.find((each) => each.shows_as !== "nothing") ?? all[0];
  return first ? [first.SeriesInstanceUID] : [];
}

/** A tile shows another series; without `at` there is one more of them. A series is shown once. */
export function placed(tiles: readonly string[], series: string, at: number | null): string[] {
  if (tiles.includes(series)) return [...tiles];
  if (at === null || at >= tiles.length) return [...tiles, series].slice(-MOST_TILES);
  return tiles.map((each, place) => (place === at ? series : each));
}

/** A series that was opened and is no volume is shown in the layout "images": it is no base of anything. */
export function withImages(state: WorkspaceState, opening: Opening): WorkspaceState {
  const { base, overlay, prior, others } = state;
  const isFlat = (view: View | null): view is View => view !== null && placeOf(opening, view.series)?.series.shows_as !== "volume";
  if (!isFlat(base) || state.images?.length) return state;
  const flat = [base, overlay, prior, ...others].filter(isFlat);
  return {
    ...state,
    base: null,
    overlay: isFlat(overlay) ? null : overlay,
    prior: isFlat(prior) ? null : prior,
    others: others.filter((view) => !isFlat(view)),
    images: flat.map((view) => view.series).slice(0, MOST_TILES),
    layout: "images",
  };
}

/** An image that somebody wants to see: by its object, and its frame from 1. */
export interface Wanted {
  instance: string;
  frame: number;
  /** Asking twice for the same is asked twice. */
  asked: number;
}

interface Looking {
  /** The tile that keys and the strip are for. */
  active: string;
  /** By series. */
  wanted: Record<string, Wanted>;
  /** The tile that fills all of the room. */
  alone: string;
}

export const useLooking = create<Looking>()(() => ({ active: "", wanted: {}, alone: "" }));

/** Kept with the draft; no step of undo. */
export function setTiles(images: string[]): void {
  useWorkspace.setState(({ doc, draft }) => ({ doc: { ...doc, images }, draft: { ...draft, is_dirty: true } }));
}

export function activate(active: string): void {
  if (useLooking.getState().active !== active) useLooking.setState({ active });
}

/** The tile that is meant: the one that was touched last, else the first. */
export function activeOf(tiles: readonly string[], active: string): string {
  return tiles.includes(active) ? active : (tiles[0] ?? "");
}

/** Show a series in the active tile, or beside the others. */
export function showSeries(series: string, isBeside = false): void {
  const { doc, opening } = useWorkspace.getState();
  const tiles = tilesOf(doc, opening);
  const at = tiles.indexOf(activeOf(tiles, useLooking.getState().active));
  setTiles(placed(tiles, series, isBeside ? null : Math.max(at, 0)));
  useLooking.setState({ active: series, alone: "" });
}

export function closeTile(series: string): void {
  const { doc, opening } = useWorkspace.getState();
  setTiles(tilesOf(doc, opening).filter((each) => each !== series));
  useLooking.setState({ alone: "" });
}

/** Go to the layout "images", and there to a series, or to an image of it. */
export function showImages(series: string, image?: { instance: string; frame?: number }, isBeside = false): void {
  const { doc, setLayout } = useWorkspace.getState();
  showSeries(series, isBeside);
  if (doc.layout !== "images") setLayout("images");
  if (!image) return;
  const { wanted } = useLooking.getState();
  const next = { instance: image.instance, frame: image.frame ?? 1, asked: (wanted[series]?.asked ?? 0) + 1 };
  useLooking.setState({ wanted: { ...wanted, [series]: next } });
}

export function toggleAlone(series: string): void {
  useLooking.setState(({ alone }) => ({ alone: alone === series ? "" : series }));
}
