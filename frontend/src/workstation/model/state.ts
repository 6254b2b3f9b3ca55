/** What the workstation knows: the document, which is kept as a draft, and what belongs to this moment and page only. */
import type {
  Bookmark,
  Consent,
  KeptLine,
  KeptRegion,
  Mode,
  Opening,
  Projection,
  RegionShape,
  SeriesDisplay,
  ThresholdKind,
  Vector,
  View,
  VolumeFacts,
  VolumeProgress,
  Workspace,
  WorkspaceState,
} from "../../api/workstation";
import type { History } from "./history";

export type Layout = "fused" | "side" | "prior" | "single" | "base" | "images";

/** What the left button, or one finger, does in a pane. */
export type Tool =
  | "window"
  | "crosshair"
  | "pan"
  | "zoom"
  | "length"
  | "angle"
  | "arrow"
  | "sphere"
  | "ellipse"
  | "threshold"
  | "grow"
  | "brush"
  | "eraser"
  | "contour"
  // Of registering: the same place in both, by hand, a part of the images.
  | "pair"
  | "hand"
  | "part";

/** How the region tools make their regions; lengths in mm. */
export interface ToolOptions {
  /** Of the threshold tool; `threshold` is per cent of the maximum (41), or a value in the unit shown. */
  threshold_of: ThresholdKind;
  threshold: number;
  /** The region stays within a ball of this diameter about the click; 0: no bound. */
  within_mm: number;
  sphere_mm: number;
  brush_mm: number;
  /** It paints a ball through all slices; else a disc in the slice. */
  brush_is_ball: boolean;
  /** Between the outlines of a region, the slices are filled as well. */
  is_interpolating: boolean;
  /** Of the grow tool: how far from the value that was clicked on, as a share of it. */
  grow_tolerance: number;
}

/** Voxels on their way: of the finest level that is under way. */
export interface Loading {
  loaded: number;
  total: number;
  level: number;
}

/** Why a series is not shown. */
export interface SeriesProblem {
  /** 409: not aligned or not agreed to; 422: no volume; 404: gone; 0: no answer. */
  status: number;
  sentence: string;
  /** "registration", "allow_other_patient", "allow_other_side", "allow_failed", or "". */
  setting: string;
}

export interface Hover {
  pane: string;
  point_mm: Vector;
}

export interface Conflict {
  theirs: Workspace;
}

export interface DraftStatus {
  /** When the service had all of it last. */
  saved_s: number | null;
  is_dirty: boolean;
  is_saving: boolean;
  is_offline: boolean;
  conflict: Conflict | null;
  /** Why it is not kept, where trying again will not help; "" otherwise. */
  refusal: string;
}

/** A region's voxels `of` its own series in the frame of the base. */
export interface ShownShape {
  of: RegionShape;
  shape: RegionShape;
}

export interface Known {
  /** Of the workspace; "" before one is open. */
  id: string;
  study: string;
  title: string;
  database: string;
  /** The user's name, for what is made here. */
  user: string;
  revision: number;
  opening: Opening | null;
  doc: WorkspaceState;
  history: History;
  /**
   * By series: as it is shown now (laid onto the base). What cannot be laid onto it (409 in `problems`) is here by
   * itself, in its own frame.
   */
  facts: Record<string, VolumeFacts>;
  /** The service is still reading the series. */
  reading: Record<string, VolumeProgress>;
  loading: Record<string, Loading>;
  problems: Record<string, SeriesProblem>;
  /** By region: where it lies in the frame of the base, where that is not its own (see shapes.ts). */
  shown: Record<string, ShownShape>;
  tool: Tool;
  options: ToolOptions;
  hover: Hover | null;
  /** The id of a region or a line. */
  selection: string | null;
  /** The pane that fills all of the room. */
  maximised: string | null;
  /** The overlay is hidden as long as one compares (space). */
  is_overlay_hidden: boolean;
  is_crosshair_shown: boolean;
  draft: DraftStatus;
  proposed: Proposed | null;
  placed: Placed | null;
}

/** A registration that a job proposes, for these two series. */
export interface Proposed {
  job: number;
  fixed: string;
  moving: string;
}

/** A series that is moved here in the page, for as long as it is being registered. */
export interface Placed {
  series: string;
  /** 16 numbers, row by row: from points of the base to those of the series as it was read; null: beside the base. */
  matrix: readonly number[] | null;
  /** It is read by itself, in its own frame; else as it lies on the base. */
  isAlone: boolean;
  /** For the reason bar. */
  words: string;
}

export type NewRegion = Omit<KeptRegion, "id" | "number" | "colour" | "made_by" | "made_s"> &
  Partial<Pick<KeptRegion, "colour">>;

export interface Actions {
  /** Open a workspace as it was kept. */
  open: (workspace: Workspace, where: { database: string; user: string }) => void;
  close: () => void;
  /** What has been read about series, or why not; all of them at once where the base changed. */
  learn: (what: Partial<Pick<Known, "facts" | "problems" | "reading" | "opening">>) => void;
  /** `isAlone`: beside the base, and not onto it; why not stays told. */
  setFacts: (series: string, facts: VolumeFacts, how?: { isAlone: boolean }) => void;
  setProblem: (series: string, problem: SeriesProblem) => void;
  setReading: (series: string, progress: VolumeProgress) => void;
  setLoading: (series: string, loading: Loading | null) => void;
  /** `of`: the kept shape that was asked about; without it the one that the region has now. */
  setShown: (region: string, shape: RegionShape | null, of?: RegionShape) => void;
  /** All that was read about a series: it will be read anew. */
  forget: (series: string) => void;

  // These change the document, and can be undone.
  setBase: (view: View | null) => void;
  setOverlay: (view: View | null) => void;
  setPrior: (view: View | null) => void;
  flip: () => void;
  addSeries: (view: View) => void;
  removeSeries: (series: string) => void;
  /** Change how a series is read (unit, consent, repairs), whatever it is used as. */
  changeView: (series: string, change: Partial<View>) => void;
  setWindow: (series: string, low: number, high: number) => void;
  setDisplay: (series: string, change: Partial<SeriesDisplay>) => void;
  setBlend: (blend: number) => void;
  setMode: (mode: Mode) => void;
  setLayout: (layout: Layout) => void;
  setSlab: (slab_mm: number, projection: Projection) => void;
  setPlaneTurn: (turn: number[] | null) => void;
  /** Without a name or colour it gets the next ones. */
  addRegion: (region: NewRegion) => string;
  changeRegion: (id: string, change: Partial<KeptRegion>) => void;
  removeRegion: (id: string) => void;
  addLine: (line: Omit<KeptLine, "id">) => string;
  changeLine: (id: string, change: Partial<KeptLine>) => void;
  removeLine: (id: string) => void;
  addBookmark: (bookmark?: Partial<Pick<Bookmark, "name" | "note" | "picture">>) => string;
  changeBookmark: (id: string, change: Partial<Pick<Bookmark, "name" | "note" | "picture">>) => void;
  removeBookmark: (id: string) => void;
  showBookmark: (id: string) => void;

  // These are kept with the draft, but are no step of undo.
  setCursor: (point_mm: Vector) => void;
  setZoom: (pane: string, zoom: number) => void;
  setPan: (pane: string, pan: [number, number]) => void;
  /** Zoom, shift and turn as at the opening; the place that is looked at stays. */
  resetView: () => void;
  consent: (consent: Omit<Consent, "by" | "at_s">) => void;

  // These are of the moment.
  setTool: (tool: Tool) => void;
  setOption: (change: Partial<ToolOptions>) => void;
  setHover: (hover: Hover | null) => void;
  select: (id: string | null) => void;
  maximise: (pane: string | null) => void;
  hideOverlay: (is_hidden: boolean) => void;
  showCrosshair: (is_shown: boolean) => void;
  setDraft: (change: Partial<DraftStatus>) => void;
  setRevision: (revision: number) => void;
  propose: (proposed: Proposed | null) => void;
  place: (placed: Placed | null) => void;

  undo: () => void;
  redo: () => void;
}

export type WorkspaceStore = Known & Actions;
