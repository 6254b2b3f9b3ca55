/** Exports: what is found in the workstation as objects of the archive, for peers and as files. */
import { useQuery } from "@tanstack/react-query";

import { API, get, send } from "./client";
import type { Job } from "./types";
import type { PictureAsk, PictureWindow, View } from "./workstation";

export interface ImagesItem {
  kind: "images";
  series: string;
}

export interface SnapshotItem {
  kind: "snapshot";
  picture: PictureAsk;
  /** Writes patient, date and sides on it. */
  annotate?: boolean;
}

export interface PlaneRange {
  axis: "axial" | "coronal" | "sagittal" | "normal";
  from_mm: number;
  to_mm: number;
  step_mm: number;
}

export interface CineItem {
  kind: "cine";
  pictures: PictureAsk[];
  range?: PlaneRange | null;
  frame_time_ms?: number;
}

export interface RotatingItem {
  kind: "rotating";
  view: View;
  window: PictureWindow;
  colours?: string;
  overlay?: View | null;
  overlay_window?: PictureWindow;
  overlay_colours?: string;
  blend?: number;
  frames?: number;
  frame_time_ms?: number;
}

export interface VolumeItem {
  kind: "volume";
  view: View;
  /** The base's series; "" for itself. */
  onto?: string;
  grid?: "base" | "own";
}

export interface RegistrationItem {
  kind: "registration";
  SOPInstanceUID: string;
}

export interface RegionsItem {
  kind: "regions";
  /** None: all. */
  ids?: string[];
  as?: "SEG" | "RTSTRUCT";
}

export interface NumbersItem {
  kind: "numbers";
  /** Of regions and lines; none: all. */
  ids?: string[];
}

export interface ReportPicture {
  picture: PictureAsk;
  caption?: string;
}

export interface ReportItem {
  kind: "report";
  title?: string;
  text?: string;
  /** None: no numbers. */
  ids?: string[];
  pictures?: ReportPicture[];
}

export interface BookmarkItem {
  kind: "bookmark";
  id: string;
  annotate?: boolean;
}

export type ExportItem =
  | ImagesItem
  | SnapshotItem
  | CineItem
  | RotatingItem
  | VolumeItem
  | RegistrationItem
  | RegionsItem
  | NumbersItem
  | ReportItem
  | BookmarkItem;

export interface ExportAsk {
  items: ExportItem[];
  workspace?: string | null;
  database?: string;
}

/** A download goes nowhere else; what goes to peers is kept in the archive first. */
export interface ExportTo {
  archive?: boolean;
  peers?: string[];
  download?: boolean;
}

export interface NewExport extends ExportAsk {
  to: ExportTo;
  priority?: number;
}

export interface ExportObject {
  /** Which of the items, from 0. */
  item: number;
  label: string;
  object: string;
  count: number;
  bytes: number;
  /** Why there will be none; "" where there is no reason. */
  refusal: string;
}

export interface ExportPlan {
  objects: ExportObject[];
}

/** What an export will be; `ready` brings the draft to the service first. */
export function useExportPlan(ask: ExportAsk, ready: () => Promise<void>) {
  return useQuery({
    queryKey: ["export plan", ask],
    queryFn: async () => {
      await ready();
      return send<ExportPlan>("POST", "/exports/plan", ask);
    },
    enabled: ask.items.length > 0,
    placeholderData: (before) => before,
    retry: false,
    staleTime: 0,
  });
}

export function submitExport(wanted: NewExport): Promise<Job> {
  return send("POST", "/exports", wanted);
}

const LOOK_EVERY_MS = 1000;
const OVER: readonly Job["state"][] = ["done", "failed", "cancelled"];

export const isOver = (job: Job | undefined): boolean => job !== undefined && OVER.includes(job.state);

/** The job, looked at until it is over: somebody waits for it. */
export function useExportJob(id: number) {
  return useQuery({
    queryKey: ["export job", id],
    queryFn: ({ signal }) => get<Job>(`/jobs/${String(id)}`, {}, signal),
    refetchInterval: (query) => (isOver(query.state.data) ? false : LOOK_EVERY_MS),
  });
}

export const exportFile = (job: number): string => `${API}/exports/${String(job)}/file`;
