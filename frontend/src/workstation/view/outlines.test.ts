import { describe, expect, it } from "vitest";

import type { GridShape, Vector } from "../../api/workstation";
import { labelPlace } from "./Drawings";
import { edges, isInside, maskOf, outlineOf, shapeOfMask, type Mask } from "./outlines";
import { axesOf } from "./planes";
import { painted, widened } from "./tools/brush";

const GRID: GridShape = {
  shape: [6, 8, 10],
  origin_mm: [0, 0, 0],
  spacing_mm: [2, 2, 3],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  FrameOfReferenceUID: "1.2.3",
};

/** A box of voxels with one of them missing. */
function box(): Mask {
  const inside = new Uint8Array(3 * 2 * 2).fill(1);
  inside[4] = 0;
  return { grid: GRID, bounds: [2, 5, 1, 3, 3, 5], inside };
}

describe("a region's shape", () => {
  it("is the same after it was packed and unpacked", () => {
    const there = maskOf(shapeOfMask(box()));
    expect([...there.inside]).toEqual([...box().inside]);
    expect(there.bounds).toEqual(box().bounds);
  });

  it("is packed as runs that begin outside", () => {
    const bytes = atob(shapeOfMask(box()).runs);
    const runs = Array.from({ length: bytes.length / 4 }, (_, which) => bytes.charCodeAt(4 * which));
    expect(runs).toEqual([0, 4, 1, 7]);
  });

  it("knows which voxels are inside", () => {
    expect(isInside(box(), [2, 1, 3])).toBe(true);
    expect(isInside(box(), [3.4, 2.4, 3])).toBe(false);
    expect(isInside(box(), [4.4, 2.4, 4.4])).toBe(true);
    expect(isInside(box(), [5, 1, 3])).toBe(false);
  });
});

describe("an outline", () => {
  it("follows the edges of the voxels", () => {
    const found = outlineOf(box(), axesOf("axial", null, GRID), [0, 0, 3 * 4]);
    // A box of 3 x 2 voxels of 2 mm from the grid's corner: four lines.
    expect(found?.path).toBe("M4.00 2.00L10.00 2.00M4.00 6.00L10.00 6.00M4.00 2.00L4.00 6.00M10.00 2.00L10.00 6.00");
    expect(found?.from_mm).toEqual([-1, -1, 12]);
  });

  it("goes round a voxel that is missing", () => {
    const found = outlineOf(box(), axesOf("axial", null, GRID), [0, 0, 3 * 3]);
    expect(found?.path.match(/M/g)).toHaveLength(8);
  });

  it("is not there where the plane does not meet the region", () => {
    expect(outlineOf(box(), axesOf("axial", null, GRID), [0, 0, 0])).toBeNull();
    expect(outlineOf(box(), axesOf("coronal", null, GRID), [0, 9, 0])).toBeNull();
  });

  it("closes around a single cell", () => {
    expect(edges(new Uint8Array([1]), 1, 1, (u, v) => [u, v]).match(/L/g)).toHaveLength(4);
  });
});

describe("the brush", () => {
  const at: Vector = [8, 6, 9];
  const stroke = { points_mm: [at], radius_mm: 2.1, normal: [0, 0, 1] as Vector };
  const none: Mask = { grid: GRID, bounds: [0, 0, 0, 0, 0, 0], inside: new Uint8Array(0) };
  const sum = (mask: Mask) => mask.inside.reduce((all, each) => all + each, 0);

  it("paints a disc in the slice that is seen, and no other", () => {
    const made = painted(none, stroke, true);
    expect(sum(made)).toBe(5);
    expect(isInside(made, [4, 3, 3])).toBe(true);
    expect(isInside(made, [5, 3, 3])).toBe(true);
    expect(isInside(made, [4, 3, 4])).toBe(false);
  });

  it("takes away what the eraser goes over, and nothing else", () => {
    const made = painted(painted(none, { ...stroke, radius_mm: 6 }, true), stroke, false);
    expect(isInside(made, [4, 3, 3])).toBe(false);
    expect(isInside(made, [6, 3, 3])).toBe(true);
  });

  it("paints along the way between two places", () => {
    const made = painted(none, { ...stroke, points_mm: [[2, 6, 9], [14, 6, 9]], radius_mm: 1 }, true);
    expect([1, 2, 3, 4, 5, 6, 7].map((i) => isInside(made, [i, 3, 3]))).toEqual(Array(7).fill(true));
  });

  it("keeps what was there when its box grows", () => {
    const made = widened(box(), [0, 6, 0, 8, 2, 6]);
    expect(made.bounds).toEqual([0, 6, 0, 8, 2, 6]);
    expect(sum(made)).toBe(sum(box()));
    expect(isInside(made, [2, 1, 3])).toBe(true);
    expect(isInside(made, [3, 2, 3])).toBe(false);
  });
});

describe("the numbers beside a region", () => {
  const lines = ["Lesion 1", "SUVmax 12.3, mean 7.45"];
  const pane = { width: 300, height: 200 };

  it("stand at its right, and at its left where that is too narrow", () => {
    expect(labelPlace({ left: 20, right: 60, top: 50 }, lines, pane)).toEqual({ x: 66, y: 60, anchor: "start" });
    expect(labelPlace({ left: 220, right: 280, top: 50 }, lines, pane)).toEqual({ x: 214, y: 60, anchor: "end" });
  });

  it("never pass the edge of a pane that is narrow", () => {
    const { x, anchor } = labelPlace({ left: 30, right: 90, top: -400 }, lines, { width: 150, height: 200 });
    expect(x).toBeCloseTo(13.6);
    expect(anchor).toBe("start");
    expect(labelPlace({ left: 30, right: 90, top: 900 }, lines, pane).y).toBe(200 - 2 * 13);
  });
});
