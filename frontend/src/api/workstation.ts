/**
 * What the workstation asks of the service: volumes, regions, drafts. The same shapes stand in /api/openapi.json.
 *
 * Points are LPS millimetres in the frame of reference of the base; grids have their axes in the order i (along a row),
 * j (along a column), k (from slice to slice), shapes in that of the voxels: [slices, rows, columns].
 */
import type { Job, RegistrationStep } from "./types";

export type Vector = [number, number, number];

// --- views ----------------------------------------------------------------------------------

/** A series as it is shown: which stack of it, in which unit, what was repaired, and what was agreed to. */
export interface View {
  series: string;
  /** 1 is the first; 0: the largest that can be shown. */
  stack: number;
  /** "" is the usual one of the modality. */
  unit: string;
  repairs: string[];
  /** SOP Instance UIDs of the registrations that may be used; none named: all. */
  only: string[];
  allow_failed: boolean;
  allow_other_patient: boolean;
  /** Drafts of before have none. */
  allow_other_side?: boolean;
  /** The job whose proposed registration lays it over others; never kept with a draft. */
  proposed?: number;
}

// --- volumes (GET /api/volumes/{series}) ----------------------------------------------------

export interface VolumeUnit {
  unit: string;
  /** Why it cannot be asked for; "" where it can. */
  refusal: string;
}

export interface VolumeStack {
  number: number;
  label: string;
  shape: Vector;
  /** Why it cannot be opened; "" where it can. */
  refusal: string;
}

/** Why the series lies where it is shown. */
export interface Alignment {
  kind: "base" | "same frame" | "registered" | "proposed";
  sentence: string;
  grade: "PASS" | "NOT JUDGED" | "CAUTION" | "FAIL" | null;
  grade_reason: string;
  is_deformable: boolean;
  method: string;
  by: string;
  made: string;
  steps: RegistrationStep[];
  warnings: string[];
  is_other_patient: boolean;
  is_other_side: boolean;
}

/** One resolution: 0 is the whole. */
export interface VolumeLevel {
  level: number;
  shape: Vector;
  origin_mm: Vector;
  spacing_mm: Vector;
  bytes: number;
}

export interface VoxelWindow {
  low: number;
  high: number;
}

export interface WindowPreset {
  name: string;
  low: number;
  high: number;
}

export interface VolumeFinding {
  kind: string;
  sentence: string;
  is_repaired: boolean;
}

export interface SuvRow {
  name: string;
  value: string;
  unit: string;
  source: string;
}

/** How the stored values became SUV. */
export interface SuvEvidence {
  rows: SuvRow[];
  factor: number;
  sentence: string;
  warnings: string[];
}

export interface RotatingFacts {
  frames: number;
  rows: number;
  columns: number;
  spacing_mm: [number, number];
  axis: string;
}

export interface VolumeFacts {
  /** Of these voxels: another view of the series has another. */
  id: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  Modality: string;
  SeriesDescription: string;
  StudyDate: string;
  PatientName: string;
  PatientID: string;
  unit: string;
  units: VolumeUnit[];
  stack: number;
  stacks: VolumeStack[];
  dtype: "int16" | "float32";
  /** Slices, rows, columns. */
  shape: Vector;
  origin_mm: Vector;
  /** Along i (column index), j (row index), k (slice index). */
  spacing_mm: Vector;
  /** Nine numbers: unit vectors of i, j and k. */
  direction: number[];
  FrameOfReferenceUID: string;
  is_resampled: boolean;
  alignment: Alignment;
  levels: VolumeLevel[];
  range: [number, number];
  window: VoxelWindow;
  presets: WindowPreset[];
  /** A name of COLOUR_MAPS. */
  colours: string;
  findings: VolumeFinding[];
  suv: SuvEvidence | null;
  /** Why there is no SUV; "" where there is, or where none is meant to be. */
  suv_refusal: string;
  rotating: RotatingFacts | null;
}

/** 202 of GET /api/volumes/{series}: it is being read; ask again. */
export interface VolumeProgress {
  done: number;
  total: number;
}

/** POST /api/values -> SeriesValues[]: of the nearest voxels of the volumes as they are. */
export interface ValuesAsk {
  /** Whose frame the points lie in; null: that of the first series. */
  base: string | null;
  series: View[];
  points_mm: Vector[];
}

export interface SeriesValues {
  series: string;
  unit: string;
  values: (number | null)[];
}

/** GET /api/frames/{instance}/value: a pixel of an image as it was stored. */
export interface FrameValue {
  /** One, or red, green and blue; null: no number. */
  values: (number | null)[];
  /** "": the image says none that is known. */
  unit: string;
  meaning: "stored" | "rescaled" | "table" | "real world" | "padding" | "colour";
}

// --- pictures (POST /api/pictures -> image/png) ---------------------------------------------

export interface PicturePlane {
  centre_mm: Vector;
  /** Unit vectors along a row and along a column of the picture. */
  right: Vector;
  down: Vector;
  spacing_mm: number;
  rows: number;
  columns: number;
  slab_mm?: number;
  projection?: Projection;
}

export interface PictureWindow {
  low: number;
  high: number;
}

export interface PictureRegion {
  shape: RegionShape;
  colour?: Vector;
}

export interface PictureAsk {
  base: View;
  overlay?: View | null;
  plane: PicturePlane;
  base_window: PictureWindow;
  overlay_window?: PictureWindow | null;
  base_colours?: string;
  overlay_colours?: string;
  blend?: number;
  mode?: Exclude<Mode, "spyglass">;
  regions?: PictureRegion[];
  /** Writes sides of the patient, patient, date and windows on it. */
  annotate?: boolean;
}

// --- openings (GET /api/openings) -----------------------------------------------------------

export interface OpeningSeries {
  SeriesInstanceUID: string;
  Modality: string;
  SeriesDescription: string;
  instances: number;
  FrameOfReferenceUID: string;
  shows_as: "volume" | "images" | "cine" | "waveform" | "document" | "object" | "nothing";
  reason: string;
}

export interface OpeningStudy {
  StudyInstanceUID: string;
  StudyDate: string;
  StudyDescription: string;
  series: OpeningSeries[];
}

export interface OpeningProposal {
  base: string | null;
  overlay: string | null;
  prior: string | null;
  layout: "fused" | "side" | "prior" | "images";
  reason: string;
}

/** The study that was asked for comes first, then the patient's others. */
export interface Opening {
  PatientName: string;
  PatientID: string;
  PatientBirthDate: string;
  PatientSex: string;
  studies: OpeningStudy[];
  proposal: OpeningProposal;
}

// --- regions (POST /api/regions) ------------------------------------------------------------

export interface GridShape {
  shape: Vector;
  origin_mm: Vector;
  spacing_mm: Vector;
  direction: number[];
  FrameOfReferenceUID: string;
}

/** Which voxels: run lengths within a box of the grid. */
export interface RegionShape {
  grid: GridShape;
  /** i0, i1, j0, j1, k0, k1; ends are outside. */
  bounds: number[];
  /** base64 of little endian uint32: lengths of runs, outside first, over the box in the order k, j, i. */
  runs: string;
}

export interface Within {
  centre_mm: Vector;
  diameter_mm: number;
}

export interface ContourPlane {
  points_mm: Vector[];
}

/** Per cent of the maximum (41), a value in the unit of the view, the liver's (PERCIST), or found by itself (needs `within`). */
export type ThresholdKind = "max" | "absolute" | "liver" | "adaptive";

/** How a region came about; which voxels those are, the service says. */
export type Rule =
  | { kind: "sphere"; centre_mm: Vector; diameter_mm: number }
  | { kind: "ellipse"; centre_mm: Vector; right: Vector; down: Vector; radii_mm: [number, number] }
  | {
      kind: "threshold";
      /** The hottest voxel within 10 mm of it; null: the hottest of `within`. */
      seed_mm: Vector | null;
      of: ThresholdKind;
      value: number;
      within: Within | null;
      /** Of "liver": where it is measured (PERCIST: 30 mm). */
      liver?: Within | null;
    }
  | { kind: "grow"; seed_mm: Vector; low: number; high: number; within: Within | null }
  | { kind: "shape"; shape: RegionShape }
  | { kind: "combine"; operation: "add" | "subtract" | "intersect"; first: RegionShape; second: RegionShape }
  | { kind: "margin"; shape: RegionShape; mm: number | Vector }
  | { kind: "contours"; planes: ContourPlane[]; interpolate: boolean }
  | { kind: "carried"; shape: RegionShape; from: View }
  | { kind: "object"; SOPInstanceUID: string; number: number };

export interface RegionAsk {
  series: View;
  rule: Rule;
  /** Measured on these as well. */
  also: View[];
  name: string;
  /** Series UID in whose frame the points of the rule lie; null: the series itself. */
  base?: string | null;
}

/** null where it cannot be computed; the findings say why. */
export interface Numbers {
  SeriesInstanceUID: string;
  unit: string;
  voxels: number;
  volume_ml: number | null;
  max: number | null;
  max_at_mm: Vector | null;
  mean: number | null;
  sd: number | null;
  min: number | null;
  median: number | null;
  peak: number | null;
  peak_at_mm: Vector | null;
  peak_volume_ml: number | null;
  tlg: number | null;
  longest_mm: number | null;
  perpendicular_mm: number | null;
  /** Doubts, and why numbers are missing. */
  findings: string[];
  /** How the region came about. */
  remarks?: string[];
}

export interface Region {
  /** On the voxels of the series, in its own frame. */
  shape: RegionShape;
  /** In the frame of the base, where that is another one. */
  shown: RegionShape | null;
  numbers: Numbers[];
  findings: string[];
}

export interface ThresholdOf {
  of: ThresholdKind;
  value?: number;
  liver?: Within | null;
}

/** POST /api/tumour-burden -> TumourBurden: everything in a series from a threshold on. */
export interface TumourBurdenAsk {
  series: View;
  threshold: ThresholdOf;
  minimum_ml?: number;
  within?: RegionShape | null;
  exclude?: RegionShape[];
  also?: View[];
  base?: string | null;
}

export interface BurdenTotals {
  threshold: string;
  level: number;
  unit: string;
  lesions: number;
  mtv_ml: number;
  tlg: number;
  max: number | null;
  peak: number | null;
  dmax_mm: number | null;
  too_small: number;
  too_small_ml: number;
  excluded_ml: number[];
  findings: string[];
}

export interface TumourBurden {
  /** The largest first. */
  regions: Region[];
  totals: BurdenTotals;
}

/** POST /api/dose -> RegionDose[], in the order of the regions. */
export interface DoseAsk {
  series: View;
  regions: Extract<Rule, { kind: "shape" | "object" }>[];
  /** D95, D2cc, V20Gy, V20Gycc; none: D98 D95 D50 D2. */
  metrics?: string[];
  base?: string | null;
}

export interface DoseMetric {
  name: string;
  value: number | null;
  unit: string;
}

/** null where there is no dose; the findings say why. */
export interface RegionDose {
  volume_ml: number | null;
  outside_ml: number | null;
  minimum_gy: number | null;
  mean_gy: number | null;
  maximum_gy: number | null;
  metrics: DoseMetric[];
  /** The cumulative histogram: this dose or more in so much of the volume. */
  curve_gy: number[];
  curve_percent: number[];
  findings: string[];
}

/** GET /api/structures/{series} -> Structure[]: of an RTSTRUCT or SEG series. */
export interface Structure {
  SOPInstanceUID: string;
  number: number;
  name: string;
  colour: Vector;
  kind: string;
  FrameOfReferenceUID: string;
}

// --- follow-up (/api/followups) -------------------------------------------------------------

/** GET /api/studies/{study}/priors -> PriorsOfSeries[], of each series that can be compared. */
export interface PriorsOfSeries {
  SeriesInstanceUID: string;
  Modality: string;
  SeriesDescription: string;
  /** The nearest first. */
  candidates: PriorSeries[];
}

export interface PriorSeries {
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  SeriesDescription: string;
  /** Date and time as digits. */
  acquired: string;
  instances: number;
  is_comparable: boolean;
  is_chosen: boolean;
  reason: string;
}

/** GET /api/followups?study= -> FollowupTable[]: what is kept, the one that came last first. */
export interface FollowupTable {
  SOPInstanceUID: string;
  /** Of the prior and the current images. */
  time_points: [string, string];
  /** How the two are registered, or why nothing was carried. */
  registration: string;
  lesions: FollowedLesion[];
  totals: ChangedQuantity[];
  findings: string[];
}

export interface FollowedLesion {
  name: string;
  status: string;
  changes: ChangedQuantity[];
  notes: string[];
}

export interface ChangedQuantity {
  quantity: string;
  unit: string;
  prior: number | null;
  current: number | null;
  percent: number | null;
}

// --- workspaces (/api/workspaces) -----------------------------------------------------------

export interface SeriesDisplay {
  low: number;
  high: number;
  colours: string;
  /** 0 to 1. */
  opacity: number;
  is_inverted: boolean;
}

export interface KeptRegion {
  id: string;
  name: string;
  /** In lists and as a segment: 1 is the first. */
  number: number;
  /** Red, green, blue; 0 to 255. */
  colour: Vector;
  series: string;
  /** Series in whose frame the points of the rule lie; null or none: nobody knows any more. */
  base?: string | null;
  rule: Rule;
  shape: RegionShape;
  numbers: Numbers[];
  is_visible: boolean;
  kind: "lesion" | "structure" | "measurement";
  made_by: string;
  made_s: number;
}

export interface KeptLine {
  id: string;
  kind: "length" | "angle" | "arrow";
  points_mm: Vector[];
  series: string;
  text: string;
  value: number | null;
  unit: string;
}

/** What was on the screen. */
export interface BookmarkView {
  base: View | null;
  overlay: View | null;
  prior: View | null;
  layout: string;
  display: Record<string, SeriesDisplay>;
  mode: Mode;
  blend: number;
  slab_mm: number;
  projection: Projection;
  cursor_mm: Vector | null;
  plane_turn: number[] | null;
  zoom: Record<string, number>;
  pan: Record<string, [number, number]>;
  /** The plane that its picture shows; without it the axial one. */
  active?: "axial" | "coronal" | "sagittal";
}

export interface Bookmark {
  id: string;
  name: string;
  note: string;
  made_s: number;
  view: BookmarkView;
  /** Of the kept picture. */
  picture: string | null;
}

/** A deliberate yes to what is refused otherwise. */
export interface Consent {
  what: string;
  sentence: string;
  by: string;
  at_s: number;
}

export type Mode = "blend" | "checkerboard" | "spyglass" | "difference" | "base" | "overlay";
export type Projection = "thin" | "mip" | "minip" | "mean";

export interface WorkspaceState {
  base: View | null;
  overlay: View | null;
  prior: View | null;
  others: View[];
  /** Series beside each other in the layout "images". */
  images?: string[];
  layout: string;
  /** By series. */
  display: Record<string, SeriesDisplay>;
  mode: Mode;
  /** 0: the base alone, 1: the overlay alone. */
  blend: number;
  /** 0: one thin plane. */
  slab_mm: number;
  projection: Projection;
  cursor_mm: Vector | null;
  /** The plane that a picture of it shows; null: axial. */
  active?: "axial" | "coronal" | "sagittal" | null;
  /** Nine numbers: what stands for left, back and head (right angles); null: the axes of the patient. */
  plane_turn: number[] | null;
  /** By pane. */
  zoom: Record<string, number>;
  pan: Record<string, [number, number]>;
  regions: KeptRegion[];
  lines: KeptLine[];
  bookmarks: Bookmark[];
  consents: Consent[];
  /** The saved session that it was opened from (SOP Instance UID): kept as it is. */
  session?: string | null;
}

export interface Workspace {
  id: string;
  revision: number;
  study: string;
  title: string;
  made_by: string;
  changed_by: string;
  changed_s: number;
  state: WorkspaceState;
  /** Of one that was opened from a saved session: what is gone or was changed. */
  findings?: string[];
}

/** POST /api/workspaces/{id}/session -> SavedSession (201) */
export interface SessionAsk {
  name: string;
  note?: string;
  /** Peers that it is sent to as well. */
  peers?: string[];
  /** The revision that is meant: another one is refused (409). */
  revision?: number | null;
}

export interface SavedObject {
  label: string;
  SOPClassUID: string;
  SOPInstanceUID: string;
}

export interface SavedSession {
  SOPInstanceUID: string;
  version: number;
  objects: SavedObject[];
  /** What could not become an object, and why. */
  notes: string[];
  jobs: Job[];
}

/** GET /api/sessions?study= -> KeptSession[], the newest first. */
export interface KeptSession {
  SOPInstanceUID: string;
  StudyInstanceUID: string;
  name: string;
  note: string;
  /** Date and time as digits. */
  made: string;
  by: string;
  version: number;
  /** SOP Instance UID of the version before; "" for the first. */
  predecessor: string;
  /** Whether it restores the view; selections of other systems open their series. */
  is_ours: boolean;
  objects: number;
  is_complete: boolean;
  missing: number;
}

/** GET /api/workspaces?study= -> WorkspaceRow[]: drafts without their states. */
export interface WorkspaceRow {
  id: string;
  revision: number;
  study: string;
  title: string;
  made_by: string;
  changed_by: string;
  changed_s: number;
  bytes: number;
}

/** GET /api/workspaces/{id}/versions -> WorkspaceVersion[]; .../versions/{number} -> Workspace. */
export interface WorkspaceVersion {
  number: number;
  revision: number;
  changed_by: string;
  changed_s: number;
  is_newest: boolean;
  bytes: number;
}

/** POST /api/workspaces -> Workspace, opened with what GET /api/openings proposes. */
export interface NewWorkspace {
  /** May be left out with `from`. */
  study?: string;
  series?: string[] | null;
  title?: string;
  from?: string | null;
}

/** PUT /api/workspaces/{id} -> WorkspaceRevision; 409 with the newest in `theirs` where it is not built on that. */
export interface WorkspaceChange {
  revision: number;
  state: WorkspaceState;
  title?: string | null;
  /** Of this tab: what it sends again after a lost answer is no conflict with itself. */
  client?: string;
}

export interface WorkspaceRevision {
  revision: number;
}
