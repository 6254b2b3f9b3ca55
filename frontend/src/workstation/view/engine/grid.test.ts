import { describe, expect, it } from "vitest";

import { centreOf, halfExtent, indexOf, layersOf, pointOf, stepAlong, texturePlane, type Grid } from "./grid";

const GRID: Grid = {
  shape: [10, 20, 40],
  origin_mm: [-100, 50, 7],
  spacing_mm: [1, 2, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
/** Turned about the patient's length by 90 degrees. */
const TURNED: Grid = { ...GRID, direction: [0, 1, 0, -1, 0, 0, 0, 0, 1] };

describe("a grid", () => {
  it("knows where its voxels are, and which voxel is where", () => {
    expect(pointOf(GRID, [3, 4, 2])).toEqual([-97, 58, 17]);
    expect(indexOf(GRID, [-97, 58, 17])).toEqual([3, 4, 2]);
    expect(pointOf(TURNED, [3, 4, 2])).toEqual([-108, 53, 17]);
    expect(indexOf(TURNED, [-108, 53, 17])).toEqual([3, 4, 2]);
  });

  it("reaches to the edges of its voxels", () => {
    expect(centreOf(GRID)).toEqual([-80.5, 69, 29.5]);
    expect(halfExtent(GRID, [1, 0, 0])).toBe(20);
    expect(halfExtent(TURNED, [1, 0, 0])).toBe(20);
    expect(halfExtent(GRID, [0, 0, -1])).toBe(25);
  });

  it("is scrolled by the spacing of the axis that is looked along", () => {
    expect(stepAlong(GRID, [0, 0, -1])).toBe(5);
    expect(stepAlong(TURNED, [1, 0, 0])).toBe(2);
    expect(stepAlong(GRID, [0.1, 0.9, 0.1])).toBe(2);
  });

  it("is sampled through a slab at steps of a voxel or less", () => {
    expect(layersOf(GRID, 0)).toEqual({ count: 1, step_mm: 0 });
    expect(layersOf(GRID, 9.5)).toEqual({ count: 10, step_mm: 0.95 });
  });
});

describe("a plane of pixels in a texture", () => {
  const plane = { first_mm: [-100, 50, 7], across_mm: [1, 0, 0], down_mm: [0, 2, 0], normal: [0, 0, 1] } as const;
  const of = (slab: number) =>
    texturePlane(GRID, { ...plane, first_mm: [...plane.first_mm], across_mm: [1, 0, 0], down_mm: [0, 2, 0], normal: [0, 0, 1] }, slab);

  it("begins half a voxel from the edge, as the first voxel's centre lies", () => {
    const { plane: steps, count } = of(0);
    expect(count).toBe(1);
    expect(steps.slice(0, 3)).toEqual([0.5 / 40, 0.5 / 20, 0.5 / 10]);
    expect(steps.slice(3, 9)).toEqual([1 / 40, 0, 0, 0, 1 / 20, 0]);
  });

  it("is centred on the plane where it is a slab", () => {
    const { plane: steps, count } = of(3);
    expect(count).toBe(3);
    const [first, step] = [steps[2] ?? 0, steps[11] ?? 0];
    expect(step).toBeCloseTo(1 / 50, 12);
    expect(first + step).toBeCloseTo(0.5 / 10, 12);
  });
});
