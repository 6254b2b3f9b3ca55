/** Volumes, values and regions of the workstation: addresses and calls. */
import { API, get, send, withQuery, type Query } from "./client";
import type {
  DoseAsk,
  FrameValue,
  Opening,
  Region,
  RegionAsk,
  RegionDose,
  SeriesValues,
  Structure,
  TumourBurden,
  TumourBurdenAsk,
  ValuesAsk,
  View,
  VolumeFacts,
  VolumeProgress,
} from "./workstation";

/** Where a view is shown: laid onto the base of this UID, or by itself; in which database. */
export interface Laid {
  onto: string | null;
  database: string;
}

export function viewQuery(view: View, { onto, database }: Laid): Query {
  return {
    stack: view.stack > 0 ? view.stack : undefined,
    unit: view.unit,
    repair: view.repairs,
    onto: onto === view.series ? undefined : onto,
    only: view.only,
    allow_failed: view.allow_failed || undefined,
    allow_other_patient: view.allow_other_patient || undefined,
    allow_other_side: view.allow_other_side || undefined,
    proposed: view.proposed || undefined,
    database,
  };
}

function pathOf(series: string): string {
  return `/volumes/${encodeURIComponent(series)}`;
}

/** `known`: the id of the facts that are there, where it is asked whether they still hold. */
export function readVolume(view: View, laid: Laid, signal?: AbortSignal, known?: string): Promise<VolumeFacts | VolumeProgress> {
  return get(pathOf(view.series), { ...viewQuery(view, laid), known }, signal);
}

export function isProgress(answer: VolumeFacts | VolumeProgress): answer is VolumeProgress {
  return !("id" in answer);
}

/** With the id of the facts the answer never changes: the browser may keep it. */
export function voxelsAddress(view: View, laid: Laid, id: string, level: number): string {
  return API + withQuery(`${pathOf(view.series)}/voxels`, { ...viewQuery(view, laid), id, level });
}

export function rotatingAddress(view: View, laid: Laid, id: string): string {
  return API + withQuery(`${pathOf(view.series)}/rotating-mip`, { ...viewQuery(view, laid), id });
}

export function readValues(ask: ValuesAsk, database: string, signal?: AbortSignal): Promise<SeriesValues[]> {
  return send("POST", withQuery("/values", { database }), ask, signal);
}

/** `frame` is from 1, the others from 0. */
export function readFrameValue(instance: string, at: { frame: number; column: number; row: number; database: string }) {
  return get<FrameValue>(`/frames/${encodeURIComponent(instance)}/value`, at);
}

export function readOpening(study: string, series: readonly string[], database: string, signal?: AbortSignal) {
  return get<Opening>("/openings", { study, series, database }, signal);
}

export function askRegion(ask: RegionAsk, database: string, signal?: AbortSignal): Promise<Region> {
  return send("POST", withQuery("/regions", { database }), ask, signal);
}

export function askBurden(ask: TumourBurdenAsk, database: string): Promise<TumourBurden> {
  return send("POST", withQuery("/tumour-burden", { database }), ask);
}

export function askDose(ask: DoseAsk, database: string, signal?: AbortSignal): Promise<RegionDose[]> {
  return send("POST", withQuery("/dose", { database }), ask, signal);
}

export function readStructures(series: string, database: string, signal?: AbortSignal): Promise<Structure[]> {
  return get(`/structures/${encodeURIComponent(series)}`, { database }, signal);
}
