/** Studies and what is in them: addresses, query keys and what can be done. */

import type { QueryKey } from "@tanstack/react-query";

import { get, send } from "./client";
import type {
  Attribute,
  Deletion,
  HistoryEntry,
  Instance,
  InstancePage,
  Job,
  Selection,
  StudyDetail,
  StudyPage,
} from "./types";

export type StudySort = "date" | "name" | "arrival";
export type Order = "asc" | "desc";

export interface StudySearch {
  q: string;
  sort: StudySort;
  order: Order;
  /** "" is the first. */
  database: string;
}

/** Where one study, series or instance is. */
export interface Place {
  study: string;
  series?: string;
  instance?: string;
  database: string;
}

/** The second element tells the live events what a query has read ("one": of the study that follows). */
export const studyKeys = {
  list: (search: StudySearch): QueryKey => ["studies", "list", search],
  detail: ({ study, database }: Place): QueryKey => ["studies", "one", study, "detail", database],
  history: ({ study, database }: Place): QueryKey => ["studies", "one", study, "history", database],
  instances: ({ study, series, database }: Place): QueryKey => ["studies", "one", study, "instances", series, database],
  // What an object holds never changes: no event concerns it.
  attributes: ({ study, series, instance, database }: Place): QueryKey => [
    "attributes", study, series, instance, database,
  ],
};

const PAGE = 100;
const INSTANCE_PAGE = 1000;

function pathOf({ study, series, instance }: Place): string {
  let path = `/studies/${encodeURIComponent(study)}`;
  if (series !== undefined) path += `/series/${encodeURIComponent(series)}`;
  if (instance !== undefined) path += `/instances/${encodeURIComponent(instance)}`;
  return path;
}

export function listStudies(search: StudySearch, cursor: string | null, signal?: AbortSignal): Promise<StudyPage> {
  return get<StudyPage>("/studies", { ...search, cursor, limit: PAGE }, signal);
}

export function getStudy(place: Place, signal?: AbortSignal): Promise<StudyDetail> {
  return get<StudyDetail>(pathOf({ study: place.study, database: "" }), { database: place.database }, signal);
}

export function getHistory(place: Place, signal?: AbortSignal): Promise<HistoryEntry[]> {
  const path = `${pathOf({ study: place.study, database: "" })}/history`;
  return get<HistoryEntry[]>(path, { database: place.database }, signal);
}

/** Every instance of a series, in its order: some thousands at most, and the preview scrolls through all of them. */
export async function getInstances(place: Place, signal?: AbortSignal): Promise<Instance[]> {
  const path = pathOf({ study: place.study, series: place.series, database: "" });
  const instances: Instance[] = [];
  let cursor: string | null = null;
  do {
    const page: InstancePage = await get(path, { cursor, limit: INSTANCE_PAGE, database: place.database }, signal);
    instances.push(...page.instances);
    cursor = page.next;
  } while (cursor !== null);
  return instances;
}

export function getAttributes(place: Place, signal?: AbortSignal): Promise<Attribute[]> {
  return get<Attribute[]>(`${pathOf(place)}/attributes`, { database: place.database }, signal);
}

/** Nothing is gone before the answer's due time: cancelling its job takes it back. */
export function requestDeletion(what: Selection): Promise<Deletion> {
  return send<Deletion>("POST", "/deletions", what);
}

export function takeBackDeletion(job: number): Promise<Job> {
  return send<Job>("POST", `/jobs/${String(job)}/cancel`);
}

/** Where DICOMweb has the object as it was stored: a file to keep. */
export function fileAddress(place: Place): string {
  const prefix = place.database ? `/databases/${encodeURIComponent(place.database)}` : "";
  return `${prefix}/dicom-web${pathOf(place)}?accept=${encodeURIComponent("application/dicom")}`;
}
