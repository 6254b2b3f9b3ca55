/** Steps on the document, as pure functions. */
import type {
  BookmarkView,
  KeptRegion,
  SeriesDisplay,
  Vector,
  View,
  VolumeFacts,
  WorkspaceState,
} from "../../api/workstation";

export const EMPTY: WorkspaceState = {
  base: null,
  overlay: null,
  prior: null,
  others: [],
  layout: "fused",
  display: {},
  mode: "blend",
  blend: 0.5,
  slab_mm: 0,
  projection: "thin",
  cursor_mm: null,
  plane_turn: null,
  zoom: {},
  pan: {},
  regions: [],
  lines: [],
  bookmarks: [],
  consents: [],
};

/** A series as it is opened. */
export function viewOf(series: string, change: Partial<View> = {}): View {
  return {
    series,
    stack: 0,
    unit: "",
    repairs: [],
    only: [],
    allow_failed: false,
    allow_other_patient: false,
    allow_other_side: false,
    ...change,
  };
}

/** All series of the workspace, each once, those on the screen first. */
export function viewsOf(doc: WorkspaceState): View[] {
  const all = [doc.base, doc.overlay, doc.prior, ...doc.others].filter((view) => view !== null);
  return all.filter((view, at) => all.findIndex((other) => other.series === view.series) === at);
}

export type Slot = "base" | "overlay" | "prior";

const NOTHING_AGREED = { allow_failed: false, allow_other_patient: false, allow_other_side: false };

/** What was agreed to was one series on one base: on another base it is asked again. */
function withoutConsents(doc: WorkspaceState): WorkspaceState {
  const asked = (view: View): View =>
    view.allow_failed || view.allow_other_patient || view.allow_other_side ? { ...view, ...NOTHING_AGREED } : view;
  const { base, overlay, prior } = doc;
  return {
    ...doc,
    base: base && asked(base),
    overlay: overlay && asked(overlay),
    prior: prior && asked(prior),
    others: doc.others.map(asked),
  };
}

/** `view` takes the place; what stood there, and what is no longer shown, goes to the others. */
export function placed(doc: WorkspaceState, slot: Slot, view: View | null): WorkspaceState {
  const next = { ...doc, [slot]: view };
  for (const other of ["base", "overlay", "prior"] as const) {
    // They change places: a series onto itself says nothing.
    if (other !== slot && view && next[other]?.series === view.series) {
      next[other] = doc[slot]?.series === view.series ? null : doc[slot];
    }
  }
  const shown = new Set([next.base, next.overlay, next.prior].map((each) => each?.series));
  next.others = viewsOf(doc).filter((each) => !shown.has(each.series));
  return next.base?.series === doc.base?.series ? next : withoutConsents(next);
}

/** The same two the other way round, by the same way: what was chosen and agreed to for the pair stays with the upper. */
export function flipped(doc: WorkspaceState): WorkspaceState {
  if (!doc.base || !doc.overlay) return doc;
  const { only, allow_failed, allow_other_patient, allow_other_side } = doc.overlay;
  const next = withoutConsents({ ...doc, base: { ...doc.overlay, only: [] } });
  return { ...next, overlay: { ...doc.base, only, allow_failed, allow_other_patient, allow_other_side } };
}

export function added(doc: WorkspaceState, view: View): WorkspaceState {
  if (viewsOf(doc).some((each) => each.series === view.series)) return doc;
  return { ...doc, others: [...doc.others, view] };
}

/** As a bookmark has it; series that it does not show stay in the workspace. */
export function seenAs(doc: WorkspaceState, view: BookmarkView): WorkspaceState {
  const next: WorkspaceState = { ...doc, ...view, display: { ...doc.display, ...view.display } };
  delete next.active;
  const shown = new Set([next.base, next.overlay, next.prior].map((each) => each?.series));
  return { ...next, others: viewsOf(doc).filter((each) => !shown.has(each.series)) };
}

/** Its regions stay: they were made, and are deleted one by one. */
export function removed(doc: WorkspaceState, series: string): WorkspaceState {
  const without = (view: View | null) => (view?.series === series ? null : view);
  return {
    ...doc,
    base: without(doc.base),
    overlay: without(doc.overlay),
    prior: without(doc.prior),
    others: doc.others.filter((view) => view.series !== series),
  };
}

/** Another unit or stack has other windows: they are asked for anew. */
export function changed(doc: WorkspaceState, series: string, change: Partial<View>): WorkspaceState {
  const to = (view: View): View => (view.series === series ? { ...view, ...change } : view);
  const rest = Object.fromEntries(Object.entries(doc.display).filter(([name]) => name !== series));
  return {
    ...doc,
    display: change.unit !== undefined || change.stack !== undefined ? rest : doc.display,
    base: doc.base && to(doc.base),
    overlay: doc.overlay && to(doc.overlay),
    prior: doc.prior && to(doc.prior),
    others: doc.others.map(to),
  };
}

/** What is shown of a series before anybody has changed it. */
export function displayFrom(facts: VolumeFacts): SeriesDisplay {
  return { ...facts.window, colours: facts.colours, opacity: 1, is_inverted: false };
}

/** Ten that can be told apart on grey and on hot iron, the first ones best. */
const COLOURS: readonly Vector[] = [
  [76, 201, 240],
  [114, 224, 106],
  [255, 122, 217],
  [255, 224, 102],
  [169, 140, 255],
  [64, 224, 178],
  [255, 160, 122],
  [158, 197, 255],
  [214, 255, 122],
  [255, 138, 158],
];

export function colourOf(number: number): Vector {
  return COLOURS[(number - 1) % COLOURS.length] ?? [255, 255, 255];
}

/** Numbers are not given twice: what was called lesion 2 is not another lesion later. */
export function nextNumber(regions: readonly KeptRegion[]): number {
  return Math.max(0, ...regions.map((region) => region.number)) + 1;
}

export function viewNow(doc: WorkspaceState): BookmarkView {
  const { base, overlay, prior, layout, display, mode, blend, slab_mm, projection } = doc;
  const { cursor_mm, plane_turn, zoom, pan } = doc;
  return { base, overlay, prior, layout, display, mode, blend, slab_mm, projection, cursor_mm, plane_turn, zoom, pan };
}
