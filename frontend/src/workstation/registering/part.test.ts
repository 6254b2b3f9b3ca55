import { describe, expect, it } from "vitest";

import type { Vector } from "../../api/workstation";
import { cross, dot, length, subtract } from "../view/engine/vectors";
import type { Grid } from "../view/engine/grid";
import { curveOf } from "./MetricChart";
import { boxOf, cutOf, partWords } from "./part";

const STRAIGHT: Grid = { shape: [50, 100, 100], origin_mm: [0, 0, 0], spacing_mm: [2, 2, 4], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
/** Its slices lean by 30 degrees. */
const [C, S] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
const LEANING: Grid = { ...STRAIGHT, direction: [1, 0, 0, 0, C, S, 0, -S, C] };

describe("a box is drawn", () => {
  const first = boxOf(STRAIGHT, { from: [40, 50, 80], to: [100, 90, 80], normal: [0, 0, 1] }, null);

  it("from corner to corner, as deep as it is wide on average", () => {
    expect(first).toEqual({ centre: [70, 70, 80], size_mm: [60, 40, 50] });
    expect(partWords(first)).toBe("a box of 60 × 40 × 50 mm");
  });

  it("and its depth in another plane, which leaves what that does not show", () => {
    const next = boxOf(STRAIGHT, { from: [50, 70, 20], to: [90, 70, 120], normal: [0, 1, 0] }, first);
    expect(next).toEqual({ centre: [70, 70, 70], size_mm: [40, 40, 100] });
  });

  it("anew where the old one is not", () => {
    const next = boxOf(STRAIGHT, { from: [40, 50, 160], to: [60, 90, 160], normal: [0, 0, 1] }, first);
    expect(next).toEqual({ centre: [50, 70, 160], size_mm: [20, 40, 30] });
  });

  it("no farther than the images go", () => {
    const next = boxOf(STRAIGHT, { from: [-80, 50, 0], to: [39, 90, 0], normal: [0, 0, 1] }, null);
    expect(next.centre).toEqual([19, 70, 18.875]);
    expect(next.size_mm).toEqual([40, 40, 41.75]);
  });
});

describe("its edge in a plane", () => {
  const box = boxOf(LEANING, { from: [40, 60, 60], to: [100, 110, 60], normal: [0, 0, 1] }, null);

  function area(points: readonly Vector[]): number {
    const middle = points[0] ?? [0, 0, 0];
    return points.slice(1, -1).reduce((sum, point, at) => sum + length(cross(subtract(point, middle), subtract(points[at + 2] ?? middle, middle))) / 2, 0);
  }

  it("is the box's own side where the plane lies along the voxels", () => {
    const corners = cutOf(LEANING, box, box.centre, [0, -S, C]);
    expect(corners).toHaveLength(4);
    expect(area(corners)).toBeCloseTo(box.size_mm[0] * box.size_mm[1], 6);
  });

  it("lies in the plane, and encloses more where it leans", () => {
    const corners = cutOf(LEANING, box, box.centre, [0, 0, 1]);
    expect(corners.map((each) => dot(subtract(each, box.centre), [0, 0, 1])).every((away) => Math.abs(away) < 1e-9)).toBe(true);
    expect(area(corners)).toBeCloseTo((box.size_mm[0] * box.size_mm[1]) / C, 6);
  });

  it("is nothing where the plane passes by", () => {
    expect(cutOf(LEANING, box, [0, 0, 900], [0, 0, 1])).toEqual([]);
  });
});

describe("the falling number", () => {
  it("goes from the upper left to the lower right", () => {
    expect(curveOf([3, 2, 1])).toBe("0.0,2.0 120.0,22.0 240.0,42.0");
  });

  it("is no curve before there are two", () => {
    expect(curveOf([3])).toBe("");
  });
});
