/** Objects that are no pictures, and recordings: the same shapes stand in /api/openapi.json. */
import { API, ApiError, get, problemFrom, withQuery } from "./client";

// --- documents (GET /api/documents/{instance}) ----------------------------------------------

export interface DocumentLine {
  name: string;
  text: string;
}

/** An object that is named, and where it is kept; "" where it is not. */
export interface DocumentReference {
  SOPInstanceUID: string;
  frames: number[];
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  Modality: string;
  SeriesDescription: string;
}

export interface DocumentFacts {
  SOPInstanceUID: string;
  kind: "report" | "selection" | "state" | "pdf" | "file" | "object";
  sop_class_name: string;
  title: string;
  lines: DocumentLine[];
  references: DocumentReference[];
  /** References beyond those that are listed. */
  unlisted: number;
  /** Of a report: HTML without script; "" otherwise. */
  page: string;
}

// --- waveforms (GET /api/waveforms/{instance}) ----------------------------------------------

export interface WaveformChannel {
  name: string;
  /** UCUM; "": the object does not say. */
  unit: string;
  low_hz: number | null;
  high_hz: number | null;
}

export interface WaveformGroup {
  label: string;
  originality: string;
  frequency_hz: number;
  samples: number;
  offset_s: number;
  channels: WaveformChannel[];
}

export interface WaveformAnnotation {
  name: string;
  value: string;
  unit: string;
  /** From 0; null: the whole recording. */
  group: number | null;
  channel: number | null;
  at_s: number[];
}

export interface WaveformFacts {
  SOPInstanceUID: string;
  acquired: string;
  groups: WaveformGroup[];
  annotations: WaveformAnnotation[];
  findings: string[];
}

// --- calls ----------------------------------------------------------------------------------

/** Which samples: of a group, from when on, for how long. */
type Part = Record<"group" | "from_s" | "seconds", number>;

const documentPath = (instance: string) => `/documents/${encodeURIComponent(instance)}`;
const waveformPath = (instance: string) => `/waveforms/${encodeURIComponent(instance)}`;

export function readDocument(instance: string, database: string, signal?: AbortSignal): Promise<DocumentFacts> {
  return get(documentPath(instance), { database }, signal);
}

/** Of the PDF or other file in an object. */
export function attachedAddress(instance: string, database: string): string {
  return API + withQuery(`${documentPath(instance)}/file`, { database });
}

export function readWaveform(instance: string, database: string, signal?: AbortSignal): Promise<WaveformFacts> {
  return get(waveformPath(instance), { database }, signal);
}

/** Samples, channel after channel; NaN where nothing was measured. */
export async function readSamples(instance: string, part: Part, database: string, signal?: AbortSignal): Promise<Float32Array> {
  const response = await fetch(API + withQuery(`${waveformPath(instance)}/samples`, { ...part, database }), { credentials: "same-origin", signal });
  if (!response.ok) throw new ApiError(problemFrom(response.status, response.statusText, await response.text()));
  return new Float32Array(await response.arrayBuffer());
}
