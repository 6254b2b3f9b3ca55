/** The workstation's state. Panes and panels read it by selectors; only the actions change it. */
import { create, type StateCreator } from "zustand";

import type { WorkspaceState } from "../../api/workstation";
import { EMPTY, added, changed, displayFrom, flipped, placed, removed } from "./document";
import { NO_HISTORY, redone, stepped, undone, type Moved } from "./history";
import { itemActions } from "./items";
import type { DraftStatus, Known, WorkspaceStore } from "./state";

export const CLEAN: DraftStatus = {
  saved_s: null,
  is_dirty: false,
  is_saving: false,
  is_offline: false,
  conflict: null,
  refusal: "",
};

export const NOTHING: Known = {
  id: "",
  study: "",
  title: "",
  database: "",
  user: "",
  revision: 0,
  opening: null,
  doc: EMPTY,
  history: NO_HISTORY,
  facts: {},
  reading: {},
  loading: {},
  problems: {},
  shown: {},
  tool: "window",
  options: {
    threshold_of: "max",
    threshold: 41,
    within_mm: 60,
    sphere_mm: 20,
    brush_mm: 10,
    brush_is_ball: false,
    is_interpolating: true,
    grow_tolerance: 0.3,
  },
  hover: null,
  selection: null,
  maximised: null,
  is_overlay_hidden: false,
  is_crosshair_shown: true,
  draft: CLEAN,
  proposed: null,
  placed: null,
};

type Set = Parameters<StateCreator<WorkspaceStore>>[0];

/** Change the document as one step; steps on the same `what` in quick succession are one. */
export type Step = (what: string, change: (doc: WorkspaceState) => WorkspaceState) => void;
/** Change the document without a step. */
export type Note = (change: (doc: WorkspaceState) => WorkspaceState) => void;

const DIRTY = (draft: DraftStatus): DraftStatus => (draft.is_dirty ? draft : { ...draft, is_dirty: true });

function steps(set: Set): { step: Step; note: Note; move: (to: (state: Known) => Moved | null) => void } {
  const step: Step = (what, change) => {
    set((state) => {
      const doc = change(state.doc);
      if (doc === state.doc) return state;
      return { doc, history: stepped(state.history, state.doc, what, Date.now()), draft: DIRTY(state.draft) };
    });
  };
  const note: Note = (change) => {
    set((state) => {
      const doc = change(state.doc);
      return doc === state.doc ? state : { doc, draft: DIRTY(state.draft) };
    });
  };
  const move = (to: (state: Known) => Moved | null) => {
    set((state) => {
      const moved = to(state);
      return moved ? { ...moved, draft: DIRTY(state.draft) } : state;
    });
  };
  return { step, note, move };
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  if (!(key in record)) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

function knowledge(set: Set): Pick<
  WorkspaceStore,
  "open" | "close" | "learn" | "setFacts" | "setProblem" | "setReading" | "setLoading" | "setShown" | "forget"
> {
  return {
    open: ({ id, study, title, revision, state, changed_s }, where) => {
      set({ ...NOTHING, ...where, id, study, title, revision, doc: state, draft: { ...CLEAN, saved_s: changed_s } });
    },
    close: () => { set(NOTHING); },
    learn: (what) => { set(what); },
    setFacts: (series, facts, how) => {
      set((state) => ({
        facts: { ...state.facts, [series]: facts },
        problems: how?.isAlone ? state.problems : without(state.problems, series),
        reading: without(state.reading, series),
        // By which way regions came onto the base may be another now.
        ...(series in state.facts && { shown: {} }),
        // The first look at a series is no change of the reader's.
        ...(!(series in state.doc.display) && {
          doc: { ...state.doc, display: { ...state.doc.display, [series]: displayFrom(facts) } },
        }),
      }));
    },
    setProblem: (series, problem) => {
      set((state) => ({
        problems: { ...state.problems, [series]: problem },
        facts: without(state.facts, series),
        reading: without(state.reading, series),
      }));
    },
    setReading: (series, progress) => { set((state) => ({ reading: { ...state.reading, [series]: progress } })); },
    setLoading: (series, loading) => {
      set((state) => ({
        loading: loading ? { ...state.loading, [series]: loading } : without(state.loading, series),
      }));
    },
    setShown: (region, shape, wanted) => {
      set((state) => {
        const of = wanted ?? state.doc.regions.find((each) => each.id === region)?.shape;
        return { shown: shape && of ? { ...state.shown, [region]: { of, shape } } : without(state.shown, region) };
      });
    },
    forget: (series) => {
      set(({ facts, problems, reading, loading }) => ({
        facts: without(facts, series),
        problems: without(problems, series),
        reading: without(reading, series),
        loading: without(loading, series),
        shown: {},
      }));
    },
  };
}

type Arranging =
  | "setBase" | "setOverlay" | "setPrior" | "flip" | "addSeries" | "removeSeries" | "changeView"
  | "setWindow" | "setDisplay" | "setBlend" | "setMode" | "setLayout" | "setSlab" | "setPlaneTurn"; // prettier-ignore

function arranging(set: Set, step: Step): Pick<WorkspaceStore, Arranging> {
  const display = (series: string, what: string, change: object) => {
    step(`${what} ${series}`, (doc) => {
      const now = doc.display[series];
      return now ? { ...doc, display: { ...doc.display, [series]: { ...now, ...change } } } : doc;
    });
  };
  return {
    setBase: (view) => { step("", (doc) => placed(doc, "base", view)); },
    setOverlay: (view) => { step("", (doc) => placed(doc, "overlay", view)); },
    setPrior: (view) => { step("", (doc) => placed(doc, "prior", view)); },
    flip: () => { step("", flipped); },
    addSeries: (view) => { step("", (doc) => added(doc, view)); },
    removeSeries: (series) => { step("", (doc) => removed(doc, series)); },
    changeView: (series, change) => { step("", (doc) => changed(doc, series, change)); },
    setWindow: (series, low, high) => { display(series, "window", { low, high: Math.max(high, low + 1e-6) }); },
    setDisplay: (series, change) => { display(series, `display ${Object.keys(change).join()}`, change); },
    setBlend: (blend) => { step("blend", (doc) => ({ ...doc, blend: Math.min(1, Math.max(0, blend)) })); },
    setMode: (mode) => { step("", (doc) => (doc.mode === mode ? doc : { ...doc, mode })); },
    setLayout: (layout) => {
      set({ maximised: null });
      step("layout", (doc) => (doc.layout === layout ? doc : { ...doc, layout }));
    },
    setSlab: (slab_mm, projection) => { step("slab", (doc) => ({ ...doc, slab_mm, projection })); },
    setPlaneTurn: (plane_turn) => { step("turn", (doc) => ({ ...doc, plane_turn })); },
  };
}

type Momentary =
  | "setCursor" | "setZoom" | "setPan" | "resetView" | "setTool" | "setOption" | "setHover" | "select" | "maximise"
  | "hideOverlay" | "showCrosshair" | "setDraft" | "setRevision" | "propose" | "place"; // prettier-ignore

function momentary(set: Set, note: Note): Pick<WorkspaceStore, Momentary> {
  return {
    setCursor: (cursor_mm) => { note((doc) => ({ ...doc, cursor_mm })); },
    setZoom: (pane, zoom) => { note((doc) => ({ ...doc, zoom: { ...doc.zoom, [pane]: zoom } })); },
    setPan: (pane, pan) => { note((doc) => ({ ...doc, pan: { ...doc.pan, [pane]: pan } })); },
    resetView: () => { note((doc) => ({ ...doc, zoom: {}, pan: {}, plane_turn: null })); },
    setTool: (tool) => { set({ tool }); },
    setOption: (change) => { set((state) => ({ options: { ...state.options, ...change } })); },
    setHover: (hover) => { set({ hover }); },
    select: (selection) => { set({ selection }); },
    maximise: (maximised) => { set({ maximised }); },
    hideOverlay: (is_overlay_hidden) => { set({ is_overlay_hidden }); },
    showCrosshair: (is_crosshair_shown) => { set({ is_crosshair_shown }); },
    setDraft: (change) => { set((state) => ({ draft: { ...state.draft, ...change } })); },
    setRevision: (revision) => { set({ revision }); },
    propose: (proposed) => { set({ proposed }); },
    place: (placed) => { set({ placed }); },
  };
}

export const useWorkspace = create<WorkspaceStore>()((set, get) => {
  const { step, note, move } = steps(set);
  return {
    ...NOTHING,
    ...knowledge(set),
    ...arranging(set, step),
    ...itemActions(get, step, note),
    ...momentary(set, note),
    undo: () => { move(({ history, doc }) => undone(history, doc)); },
    redo: () => { move(({ history, doc }) => redone(history, doc)); },
  };
});
