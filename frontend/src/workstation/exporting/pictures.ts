/** What is on the screen as pictures that the service makes. */
import type { PictureAsk, SeriesDisplay, View } from "../../api/workstation";
import { dot } from "../view/engine/vectors";
import { centreOf, halfExtent } from "../view/engine/grid";
import { axesOf, viewOfPane } from "../view/planes";
import type { Plane } from "../model/layouts";
import { shapeOf } from "../model/shapes";
import type { Known } from "../model/state";

const PIXELS = 512;

type Seen = Pick<Known, "doc" | "facts" | "shown">;

function coloursOf({ colours, is_inverted }: SeriesDisplay): string {
  if (!is_inverted) return colours;
  return colours === "gray" ? "inverted" : colours === "inverted" ? "gray" : colours;
}

export function lookOf(state: Seen, view: View): { window: { low: number; high: number }; colours: string } | null {
  const display = state.doc.display[view.series];
  return display ? { window: { low: display.low, high: display.high }, colours: coloursOf(display) } : null;
}

/** A plane through the crosshair with all of the base, of so many pixels; null while the base is read. */
export function pictureOf(state: Seen, plane: Plane, pixels = PIXELS): PictureAsk | null {
  const { doc, facts } = state;
  const grid = doc.base && facts[doc.base.series];
  const base = doc.base && lookOf(state, doc.base);
  if (!doc.base || !grid || !base) return null;
  const seen = viewOfPane(grid, axesOf(plane, doc.plane_turn, grid), { width: pixels, height: pixels }, doc.cursor_mm ?? centreOf(grid));
  return {
    base: doc.base,
    base_window: base.window,
    base_colours: base.colours,
    ...overlayOf(state),
    plane: {
      centre_mm: seen.centre_mm,
      right: seen.right,
      down: seen.down,
      spacing_mm: seen.mm_per_pixel,
      rows: pixels,
      columns: pixels,
      slab_mm: doc.slab_mm,
      projection: doc.projection,
    },
    regions: doc.regions.filter((region) => region.is_visible).flatMap((region) => {
      const shape = shapeOf(state, region);
      return shape ? [{ shape, colour: region.colour }] : [];
    }),
  };
}

/** Only what may be laid over the base: what is not aligned is shown by itself, and is in no fused picture. */
export function overlayOf(state: Seen): Partial<PictureAsk> {
  const { doc, facts } = state;
  const look = doc.overlay && lookOf(state, doc.overlay);
  const alignment = doc.overlay && facts[doc.overlay.series]?.alignment.kind;
  if (!doc.overlay || !look || !alignment || alignment === "base" || alignment === "proposed") return {};
  return {
    overlay: doc.overlay,
    overlay_window: look.window,
    overlay_colours: look.colours,
    blend: doc.blend,
    mode: doc.mode === "spyglass" ? "blend" : doc.mode,
  };
}

const FEWEST = 256;

/** As many pixels as a cine of the base needs: there are many of its pictures. */
export function cinePixels({ doc, facts }: Seen): number {
  const grid = doc.base && facts[doc.base.series];
  return Math.min(PIXELS, Math.max(FEWEST, ...(grid?.shape ?? [])));
}

export interface Range {
  axis: "axial" | "coronal" | "sagittal";
  from_mm: number;
  to_mm: number;
  step_mm: number;
}

const WAYS = { axial: [0, 0, 1], coronal: [0, 1, 0], sagittal: [1, 0, 0] } as const;

/** All planes of the base along an axis of the patient, head first, as far apart as its voxels are there. */
export function wholeRange(state: Seen, axis: Range["axis"]): Range | null {
  const grid = state.doc.base && state.facts[state.doc.base.series];
  if (!grid) return null;
  const way: [number, number, number] = [...WAYS[axis]];
  const middle = dot(centreOf(grid), way);
  const half = halfExtent(grid, way);
  const steps = [0, 1, 2].map((which) => ({
    along: Math.abs(dot(way, [grid.direction[3 * which] ?? 0, grid.direction[3 * which + 1] ?? 0, grid.direction[3 * which + 2] ?? 0])),
    mm: grid.spacing_mm[which] ?? 1,
  }));
  const step_mm = steps.reduce((best, each) => (each.along > best.along ? each : best)).mm;
  const [from_mm, to_mm] = [middle + half - step_mm / 2, middle - half + step_mm / 2];
  return axis === "axial" ? { axis, from_mm, to_mm, step_mm } : { axis, from_mm: to_mm, to_mm: from_mm, step_mm };
}
