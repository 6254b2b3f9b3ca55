import { describe, expect, it } from "vitest";

import type { Grid } from "./engine/grid";
import { axesOf, letterOf, opposite, pixelPlane, placeOf, pointAt, positionWords, scaleBar, viewOfPane } from "./planes";

const GRID: Grid = {
  shape: [50, 100, 200],
  origin_mm: [-99.5, -49.5, -122.5],
  spacing_mm: [1, 1, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const ROOM = { width: 400, height: 300 };

describe("the sides of the patient", () => {
  it.each([
    ["axial", "A", "P", "R", "L"],
    ["coronal", "H", "F", "R", "L"],
    ["sagittal", "H", "F", "A", "P"],
  ] as const)("stand around the %s plane as radiologists look at it", (plane, top, bottom, left, right) => {
    const axes = axesOf(plane, null, GRID);
    const letters = [opposite(axes.down), axes.down, opposite(axes.right), axes.right].map(letterOf);
    expect(letters).toEqual([top, bottom, left, right]);
  });

  it("are two letters where the plane lies between them, the greater part first", () => {
    expect(letterOf([0.8, -0.6, 0])).toBe("LA");
    expect(letterOf([0.1, 0.05, 0.99])).toBe("H");
  });

  it("turn with the planes, and stay in a plane that is the same", () => {
    const quarter = [0, 1, 0, -1, 0, 0, 0, 0, 1];
    expect(letterOf(axesOf("coronal", quarter, GRID).right)).toBe("P");
    expect(letterOf(axesOf("axial", quarter, GRID).right)).toBe("L");
  });

  it("are those of the images in the oblique plane that was not turned", () => {
    const tilted = { ...GRID, direction: [1, 0, 0, 0, 0.6, 0.8, 0, -0.8, 0.6] };
    expect(axesOf("oblique", null, tilted).down).toEqual([0, 0.6, 0.8]);
  });
});

describe("a pane's view", () => {
  const view = viewOfPane(GRID, axesOf("axial", null, GRID), ROOM, [10, 20, 30], 2, [5, -3]);

  it("holds all of the volume at zoom 1", () => {
    const whole = viewOfPane(GRID, axesOf("axial", null, GRID), ROOM, [0, 0, 0]);
    const [left, top] = placeOf(whole, [-100, -50, 0]);
    const [right, bottom] = placeOf(whole, [100, 50, 0]);
    expect(Math.min(left, top)).toBeGreaterThan(0);
    expect(right).toBeLessThan(ROOM.width);
    expect(bottom).toBeLessThan(ROOM.height);
    expect(right - left).toBeGreaterThan(0.95 * ROOM.width);
  });

  it("finds the place of a point, and the point of a place", () => {
    const [x, y, away] = placeOf(view, [12, 7, 34]);
    expect(away).toBeCloseTo(4, 9);
    const point = pointAt(view, x, y);
    expect(point[0]).toBeCloseTo(12, 9);
    expect(point[1]).toBeCloseTo(7, 9);
    expect(point[2]).toBeCloseTo(30, 9);
  });

  it("is the same plane in however many pixels it is drawn", () => {
    for (const [columns, rows] of [[400, 300], [120, 90]] as const) {
      const { first_mm, across_mm } = pixelPlane(view, columns, rows);
      expect(first_mm[0] - across_mm[0] / 2).toBeCloseTo(pointAt(view, 0, 0)[0], 9);
      expect(across_mm[0] * columns).toBeCloseTo(ROOM.width * view.mm_per_pixel, 9);
    }
  });

  it("says where it lies along the patient", () => {
    expect(positionWords(view, [0, 0, -12.34])).toBe("F 12.3 mm");
    expect(positionWords(axesOf("sagittal", null, GRID), [8, 0, 0])).toBe("L 8.0 mm");
    expect(positionWords(view, [0, 0, -1e-14])).toBe("0.0 mm");
  });

  it("has a bar of a round length", () => {
    const { mm, pixels } = scaleBar(view);
    expect([10, 20, 50]).toContain(mm);
    expect(pixels * view.mm_per_pixel).toBeCloseTo(mm, 9);
  });
});
