import { describe, expect, test } from "vitest";

import { chartOf, roundUp, totalOf } from "./arrivals";
import { gaugeOf } from "./volume";

describe("the chart of arrivals", () => {
  test.each([
    [0, 1],
    [1, 1],
    [3, 5],
    [6, 10],
    [10, 10],
    [1001, 2000],
  ])("%d fits under the round number %d", (value, top) => {
    expect(roundUp(value)).toBe(top);
  });

  test("bars stand side by side within the width, and one object is still seen", () => {
    const arrivals = [0, 1, 10_000].map((objects, hour) => ({ hour_s: hour * 3600, objects, size_bytes: objects }));
    const { bars, lines } = chartOf(arrivals, 300, 100);
    expect(bars.map((bar) => bar.height)).toEqual([0, 2, 100]);
    expect((bars[2]?.x ?? 0) + (bars[2]?.width ?? 0)).toBeLessThanOrEqual(300);
    expect(lines).toEqual([{ value: 0, y: 100 }, { value: 5000, y: 50 }, { value: 10_000, y: 0 }]);
    expect(totalOf(arrivals)).toEqual({ objects: 10_001, size_bytes: 10_001 });
  });

  test("a day without arrivals has no bars of any height", () => {
    expect(chartOf([], 300, 100).bars).toEqual([]);
    expect(chartOf([{ hour_s: 0, objects: 0, size_bytes: 0 }], 300, 100).bars[0]?.height).toBe(0);
  });
});

describe("the volume", () => {
  test.each([
    [50, "fine", 40],
    [15, "low", 5],
    [10, "full", 0],
    [3, "full", 0],
  ])("with %d of 100 free and 10 in reserve it is %s", (free_bytes, state, usable_bytes) => {
    expect(gaugeOf({ free_bytes, size_bytes: 100, reserve_bytes: 10 })).toMatchObject({ state, usable_bytes });
  });

  test("a volume of unknown size is not divided by", () => {
    expect(gaugeOf({ free_bytes: 0, size_bytes: 0, reserve_bytes: 0 })).toMatchObject({ used: 0, reserve: 0 });
  });
});
