/** Where regions and lines are drawn: what lies in the frame of the base, and nothing else. */
import type { KeptLine, KeptRegion, RegionShape, Vector } from "../../api/workstation";
import type { Known } from "./state";

type Here = Pick<Known, "facts" | "doc" | "shown" | "opening">;

function frameOfBase({ facts, doc }: Pick<Here, "facts" | "doc">): string {
  return (doc.base && facts[doc.base.series]?.FrameOfReferenceUID) ?? "";
}

/** The shape in the frame of the base; null: it is not known there, and nothing is drawn. */
export function shapeOf(state: Pick<Here, "facts" | "doc" | "shown">, region: KeptRegion): RegionShape | null {
  const frame = frameOfBase(state);
  if (!frame) return null;
  if (region.shape.grid.FrameOfReferenceUID === frame) return region.shape;
  const shown = state.shown[region.id];
  // After undo it may be that of other voxels.
  if (shown?.of !== region.shape) return null;
  return shown.shape.grid.FrameOfReferenceUID === frame ? shown.shape : null;
}

/** Where to look for a region on the base: its hottest voxel, or the middle of it as it is shown; null: nowhere. */
export function placeOfRegion(state: Pick<Here, "facts" | "doc" | "shown">, region: KeptRegion): Vector | null {
  const shape = shapeOf(state, region);
  if (!shape) return null;
  const own = region.numbers.find((each) => each.SeriesInstanceUID === region.series);
  return (shape === region.shape ? own?.max_at_mm : null) ?? middleOf(shape);
}

function middleOf({ grid, bounds }: RegionShape): Vector {
  const index = [0, 2, 4].map((from) => ((bounds[from] ?? 0) + (bounds[from + 1] ?? 0) - 1) / 2);
  const along = (xyz: 0 | 1 | 2) =>
    index.reduce((sum, at, which) => sum + at * (grid.spacing_mm[which] ?? 0) * (grid.direction[3 * which + xyz] ?? 0), grid.origin_mm[xyz]);
  return [along(0), along(1), along(2)];
}

/** Whether the points of a line lie in the frame of the base. */
export function isLineHere(state: Pick<Here, "facts" | "doc" | "opening">, { series }: Pick<KeptLine, "series">): boolean {
  if (series === state.doc.base?.series) return true;
  const all = state.opening?.studies.flatMap((study) => study.series) ?? [];
  const own = all.find((each) => each.SeriesInstanceUID === series)?.FrameOfReferenceUID;
  return !!own && own === frameOfBase(state);
}
