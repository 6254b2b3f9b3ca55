/** Media: file-sets to take away, and what is brought in from them; the same shapes stand in /api/openapi.json. */
import { useQuery } from "@tanstack/react-query";

import { API, get, send, withQuery } from "./client";
import type { Job, NamedUID, Selection } from "./types";

// --- profiles (GET /api/media/profiles) ------------------------------------------------------

export interface MediumSize {
  name: string;
  size_bytes: number;
}

export interface MediaProfile {
  /** As the standard has it: "STD-GEN-CD". */
  name: string;
  /** For people: "CD, uncompressed". */
  title: string;
  section: string;
  medium: string;
  /** Of the media that there are; none: they differ. */
  sizes: MediumSize[];
  capacity_bytes: number | null;
  file_system: string;
  /** The disc image that can be made: "ISO 9660 level 1", "UDF 1.50"; "" for none. */
  image: string;
  syntaxes: NamedUID[];
  is_lossy_possible: boolean;
  is_every_class: boolean;
}

// --- exports ---------------------------------------------------------------------------------

/** POST /api/media/plans -> MediaPlan */
export interface MediaSelection extends Selection {
  profile: string;
  with_loss?: boolean;
  medium_bytes?: number | null;
}

export interface MediaVolume {
  number: number;
  studies: number;
  objects: number;
  size_bytes: number;
}

/** Transfer syntaxes by name. */
export interface MediaConversion {
  from_syntax: string;
  to_syntax: string;
  objects: number;
}

export interface MediaRefusal {
  sop_class: string;
  objects: number;
  rule: string;
  sentence: string;
}

export interface MediaPlan {
  profile: string;
  studies: number;
  objects: number;
  /** An estimate where objects are converted. */
  size_bytes: number;
  volumes: MediaVolume[];
  conversions: MediaConversion[];
  refusals: MediaRefusal[];
  /** How many objects these are; one may be refused by several rules. */
  refused: number;
  warnings: string[];
}

export type MediaForm = "zip" | "iso" | "folder";

/** POST /api/media/exports -> 202 Job; 422 for what the profile refuses, unless that is left out. */
export interface NewMediaExport extends MediaSelection {
  form?: MediaForm;
  /** Of the server, for administrators. */
  folder?: string;
  path?: string;
  skip_refused?: boolean;
  priority?: number;
}

export interface MediaFile {
  volume: number;
  name: string;
  size_bytes: number;
}

/** GET /api/media/exports/{job}: files once it is done, for a day. */
export interface MediaExport {
  job: Job;
  form: MediaForm;
  files: MediaFile[];
}

// --- folders of the server, for administrators -----------------------------------------------

export interface MediaPlace {
  /** One that the settings allow. */
  folder: string;
  /** Below it; "" is the folder itself. */
  path: string;
  name: string;
  kind: "folder" | "zip" | "image";
  is_readable: boolean;
  is_writable: boolean;
  holds_dicomdir: boolean;
  size_bytes: number;
}

/** GET /api/media/folders?use=&folder=&path= */
export interface MediaPlaces {
  places: MediaPlace[];
  has_more: boolean;
}

/** POST /api/media/imports -> 202 Job */
export interface NewMediaImport {
  folder: string;
  path?: string;
  database?: string;
  priority?: number;
}

export interface ImportedFile {
  name: string;
  reason: string;
}

/** What is wrong with media, though their objects were taken: their own content decides. */
export interface ImportFinding {
  /** "files named by a record that are not there" */
  kind: string;
  count: number;
}

export interface ImportReport {
  taken: number;
  already_there: number;
  refused: number;
  /** Not DICOM, and directories of media. */
  ignored: number;
  /** Of all these, what an earlier, interrupted run had done. */
  from_before: number;
  /** The first ones. */
  refused_files: ImportedFile[];
  findings: ImportFinding[];
  /** The first findings, in a sentence each. */
  finding_sentences: string[];
}

/** GET /api/media/imports/{job}: with a report once it is done. */
export interface MediaImport {
  job: Job;
  report: ImportReport | null;
}

// --- asking ----------------------------------------------------------------------------------

const OVER: readonly Job["state"][] = ["done", "failed", "cancelled"];
const LOOK_EVERY_MS = 1000;

export const isOver = (job: Job | undefined): boolean => job !== undefined && OVER.includes(job.state);

export function useMediaProfiles() {
  return useQuery({
    queryKey: ["media", "profiles"],
    queryFn: ({ signal }) => get<MediaProfile[]>("/media/profiles", {}, signal),
    staleTime: Infinity,
  });
}

/** What an export will be; null: nothing is asked yet. */
export function useMediaPlan(wanted: MediaSelection | null) {
  return useQuery({
    queryKey: ["media", "plan", wanted],
    queryFn: ({ signal }) => send<MediaPlan>("POST", "/media/plans", wanted, signal),
    enabled: wanted !== null,
    retry: false,
    staleTime: 0,
    gcTime: 0,
  });
}

export function submitMediaExport(wanted: NewMediaExport): Promise<Job> {
  return send<Job>("POST", "/media/exports", wanted);
}

/** The export, looked at until it is over: somebody waits for it. */
export function useMediaExport(job: number) {
  return useQuery({
    queryKey: ["media", "export", job],
    queryFn: ({ signal }) => get<MediaExport>(`/media/exports/${String(job)}`, {}, signal),
    refetchInterval: (query) => (isOver(query.state.data?.job) ? false : LOOK_EVERY_MS),
  });
}

export const mediaFile = (job: number, volume: number): string =>
  withQuery(`${API}/media/exports/${String(job)}/file`, { volume });

export type FolderUse = "import" | "export";

interface FolderAsk {
  use: FolderUse;
  folder?: string;
  path?: string;
}

export function useMediaPlaces(ask: FolderAsk, isAsked = true) {
  return useQuery({
    queryKey: ["media", "places", ask],
    queryFn: ({ signal }) => get<MediaPlaces>("/media/folders", { ...ask }, signal),
    enabled: isAsked,
    retry: false,
    // Discs are put in and taken out.
    staleTime: 0,
  });
}

export function submitMediaImport(wanted: NewMediaImport): Promise<Job> {
  return send<Job>("POST", "/media/imports", wanted);
}

export function useMediaImport(job: number) {
  return useQuery({
    queryKey: ["media", "import", job],
    queryFn: ({ signal }) => get<MediaImport>(`/media/imports/${String(job)}`, {}, signal),
    refetchInterval: (query) => (isOver(query.state.data?.job) ? false : LOOK_EVERY_MS),
  });
}
