/** What a pane shows of the workspace: which series, in whose frame, and as which picture. */
import { create } from "zustand";

import type { SeriesDisplay, Vector, VolumeFacts } from "../../api/workstation";
import { GRAY, useDoseLook, washOf } from "../delineating/dose";
import { tableOf } from "../model/colours";
import type { Plane, Role } from "../model/layouts";
import { placeOn } from "../model/placing";
import type { Known } from "../model/state";
import { useWorkspace } from "../model/store";
import type { Layer, Scene } from "./engine/drawing";
import { centreOf } from "./engine/grid";
import type { VoxelTexture } from "./engine/texture";
import { axesOf, pixelPlane, placeOf, viewOfPane, type PaneView, type Room } from "./planes";

export interface PaneSpec {
  pane: string;
  plane: Plane;
  role: Role;
}

export interface Shown {
  /** Their frame and box are those of the pane. */
  anchor: VolumeFacts;
  /** The lower and the upper picture; one of them where the pane shows one series. */
  below: VolumeFacts | null;
  above: VolumeFacts | null;
  /** The series is shown by itself, in a frame of its own: nothing links it with the other panes. */
  isAlone: boolean;
}

/** Where panes that nothing links look, by series. */
export const useOwnCursors = create<Record<string, Vector>>()(() => ({}));

function factsOf(state: Known, slot: "base" | "overlay" | "prior"): VolumeFacts | undefined {
  const series = state.doc[slot]?.series;
  return series === undefined ? undefined : state.facts[series];
}

/** Laid onto this base, and without a refusal; frames of reference are compared once more, here at the last door. */
export function liesOn(state: Known, facts: VolumeFacts | undefined, base: VolumeFacts): facts is VolumeFacts {
  return (
    facts !== undefined &&
    !state.problems[facts.SeriesInstanceUID] &&
    facts.alignment.kind !== "base" &&
    facts.FrameOfReferenceUID !== "" &&
    facts.FrameOfReferenceUID === base.FrameOfReferenceUID
  );
}

/** null before the series are known. */
export function shownIn(state: Known, role: Role): Shown | null {
  const base = factsOf(state, "base");
  if (role === "fused" || role === "base") {
    if (!base) return null;
    const over = role === "fused" ? factsOf(state, "overlay") : undefined;
    return { anchor: base, below: base, above: over && (liesOn(state, over, base) || placeOn(over, state)) ? over : null, isAlone: false };
  }
  const facts = factsOf(state, role);
  if (!facts) return null;
  if (base && liesOn(state, facts, base)) return { anchor: base, below: facts, above: null, isAlone: false };
  return { anchor: facts, below: facts, above: null, isAlone: facts.SeriesInstanceUID !== base?.SeriesInstanceUID };
}

/** The series that a fused pane may not show over the base; null where there is none. */
export function blockedIn(state: Known, role: Role): string | null {
  const series = state.doc.overlay?.series;
  if (role !== "fused" || series === undefined) return null;
  if (state.problems[series]) return series;
  const base = factsOf(state, "base");
  const over = state.facts[series];
  return base && over && !liesOn(state, over, base) && !placeOn(over, state) ? series : null;
}

/** Panes of one plane zoom and move together; what nothing links does so by itself. */
export function viewKey({ pane, plane }: PaneSpec, shown: Shown): string {
  return shown.isAlone ? pane : plane;
}

export function cursorOf(cursor_mm: Vector | null, own: Vector | undefined, shown: Shown): Vector {
  return (shown.isAlone ? own : cursor_mm) ?? centreOf(shown.anchor);
}

/** Where a pane looks now. */
export function cursorNow(shown: Shown): Vector {
  const own = useOwnCursors.getState()[shown.anchor.SeriesInstanceUID];
  return cursorOf(useWorkspace.getState().doc.cursor_mm, own, shown);
}

type Looked = Pick<Known["doc"], "cursor_mm" | "zoom" | "pan" | "plane_turn">;

export function viewOf(doc: Looked, own: Vector | undefined, spec: PaneSpec, shown: Shown, room: Room): PaneView {
  const key = viewKey(spec, shown);
  const axes = axesOf(spec.plane, shown.isAlone ? null : doc.plane_turn, shown.anchor);
  return viewOfPane(shown.anchor, axes, room, cursorOf(doc.cursor_mm, own, shown), doc.zoom[key], doc.pan[key]);
}

const TABLES = new Map<string, Uint8Array>();

/** Those of a dose show it as far as it matters. */
function tableFor(facts: VolumeFacts, display: SeriesDisplay): Uint8Array {
  if (facts.unit !== GRAY) return coloursOf(display);
  const { hasBands } = useDoseLook.getState();
  const name = `dose ${display.colours} ${String(display.is_inverted)} ${String(hasBands)}`;
  const made = TABLES.get(name) ?? washOf(coloursOf(display), hasBands);
  TABLES.set(name, made);
  return made;
}

/** 256 colours with alpha; the same array for the same name. */
export function coloursOf({ colours, is_inverted }: SeriesDisplay): Uint8Array {
  const name = `${colours} ${String(is_inverted)}`;
  const known = TABLES.get(name);
  if (known) return known;
  const table = tableOf(colours);
  const steps = table.length / 3;
  const made = new Uint8Array(4 * steps).fill(255);
  for (let step = 0; step < steps; step++) {
    const from = 3 * (is_inverted ? steps - 1 - step : step);
    made.set(table.subarray(from, from + 3), 4 * step);
  }
  TABLES.set(name, made);
  return made;
}

const TILE_PIXELS = 32;
const GLASS_SHARE = 0.18;

interface Card {
  voxels: (facts: VolumeFacts) => VoxelTexture | null;
}

function layerOf(state: Known, facts: VolumeFacts | null, anchor: VolumeFacts, card: Card): Layer | null {
  const display = facts && state.doc.display[facts.SeriesInstanceUID];
  const voxels = facts && card.voxels(facts);
  if (!display || !voxels) return null;
  // In a pane of its own it lies where it is.
  const moved = facts === anchor ? null : placeOn(facts, state);
  return { voxels, low: display.low, high: display.high, colours: tableFor(facts, display), moved };
}

/** Values of one unit are subtracted as they are, under the window of the base. */
function comparable(scene: Scene, shown: Shown): Scene {
  const { base, overlay } = scene;
  if (scene.mode !== "difference" || !base || !overlay || shown.below?.unit !== shown.above?.unit) return scene;
  return { ...scene, overlay: { ...overlay, low: base.low, high: base.high } };
}

export interface Look {
  scene: Scene;
  key: string;
}

/** How finely it is drawn, and what with. */
interface Means {
  columns: number;
  rows: number;
  card: Card;
}

/** The picture now, and what it depends on as a key. */
export function lookOf(state: Known, spec: PaneSpec, room: Room, { columns, rows, card }: Means): Look | null {
  const shown = shownIn(state, spec.role);
  if (!shown || room.width < 2 || room.height < 2) return null;
  const base = layerOf(state, shown.below, shown.anchor, card);
  const overlay = layerOf(state, state.is_overlay_hidden ? null : shown.above, shown.anchor, card);
  if (!base && !overlay) return null;
  const view = viewOf(state.doc, useOwnCursors.getState()[shown.anchor.SeriesInstanceUID], spec, shown, room);
  const { mode, slab_mm, projection, blend } = state.doc;
  const factor = columns / room.width;
  const hover = state.hover && mode === "spyglass" ? placeOf(view, state.hover.point_mm) : null;
  const glass: Vector = hover
    ? [hover[0] * factor, hover[1] * factor, GLASS_SHARE * Math.min(room.width, room.height) * factor]
    : [0, 0, 0];
  const opacity = shown.above ? (state.doc.display[shown.above.SeriesInstanceUID]?.opacity ?? 1) : 1;
  const part = blend * opacity;
  const { centre_mm, right, down, mm_per_pixel } = view;
  const layers = [base, overlay].map((each) => each && [each.low, each.high]);
  const tables = [shown.below, shown.above].map((each) => {
    const display = each && state.doc.display[each.SeriesInstanceUID];
    return display && [each.id, display.colours, display.is_inverted, useDoseLook.getState().hasBands];
  });
  const key = JSON.stringify([
    centre_mm, right, down, mm_per_pixel, room, layers, tables, overlay && [mode, part], slab_mm, projection,
    hover && [hover[0], hover[1]], base?.moved, overlay?.moved,
  ]); // prettier-ignore
  const scene: Scene = {
    base, overlay, slab_mm, projection, mode, blend: part, glass,
    plane: pixelPlane(view, columns, rows),
    tile: TILE_PIXELS * factor,
  }; // prettier-ignore
  return { scene: comparable(scene, shown), key };
}
