import { beforeEach, describe, expect, it } from "vitest";

import type { Rule, Vector } from "../../api/workstation";
import { serviceWith } from "../../test/service";
import { newestOnly } from "../model/asking";
import { useWorkspace } from "../model/store";
import { LESION, PT, SHAPE, numbers, openScene } from "../test/scene";
import { painted } from "../view/tools/brush";
import { accept, exclude, findLesions, NO_BURDEN, useBurden } from "./burden";
import { curveThrough, withOutline } from "./contours";
import { isodosesOf, washOf } from "./dose";
import { tickStep } from "./DoseChart";
import { liverRule, thresholdRule } from "./threshold";

const now = () => useWorkspace.getState();

beforeEach(() => {
  openScene();
  useBurden.setState(NO_BURDEN);
});

function square(z: number, half = 10): Vector[] {
  return [[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]]; // prettier-ignore
}

describe("outlines", () => {
  const rule: Rule = { kind: "contours", planes: [{ points_mm: square(0) }], interpolate: false };
  const at = (z: number) => ({ plane: { points_mm: square(z, 5) }, normal: [0, 0, 1] as Vector, step_mm: 4 });

  it("a curve goes through all of its points, and comes back", () => {
    const curve = curveThrough(square(3));
    expect(curve).toHaveLength(32);
    for (const corner of square(3)) expect(curve).toContainEqual(corner);
    expect(curve.every(([, , z]) => Math.abs(z - 3) < 1e-9)).toBe(true);
  });

  it("of another slice belongs to the region; of the same slice it takes the old one's place", () => {
    expect(withOutline(rule, at(8), true)).toMatchObject({ interpolate: true, planes: [{}, { points_mm: square(8, 5) }] });
    expect(withOutline(rule, at(1), true)).toMatchObject({ planes: [{ points_mm: square(1, 5) }] });
  });

  it("in another direction begins a region of its own", () => {
    expect(withOutline(rule, { ...at(8), normal: [0, 1, 0] }, true)).toBeNull();
    expect(withOutline(LESION.rule, at(8), true)).toBeNull();
  });
});

describe("the threshold of a click", () => {
  it("is the liver's where the liver is marked, and says so where it is not", () => {
    const options = { ...now().options, threshold_of: "liver" as const };
    expect(thresholdRule(options, [1, 2, 3], [])).toMatch(/^Mark the liver first/);
    now().addRegion({ ...LESION, name: "Liver", kind: "measurement", rule: liverRule([9, 9, 9]) });
    expect(thresholdRule(options, [1, 2, 3], now().doc.regions)).toMatchObject({ of: "liver", liver: { centre_mm: [9, 9, 9], diameter_mm: 30 } });
  });

  it("is looked for in a ball where it is adaptive, though no ball was asked for", () => {
    const options = { ...now().options, threshold_of: "adaptive" as const, within_mm: 0 };
    expect(thresholdRule(options, [1, 2, 3], [])).toMatchObject({ within: { centre_mm: [1, 2, 3], diameter_mm: 30 } });
  });
});

it("only the newest wish is asked for while the service is busy", async () => {
  const asked: number[] = [];
  let answer: () => void = () => undefined;
  const ask = newestOnly<number>((_, wish) => {
    asked.push(wish);
    return new Promise<void>((resolve) => { answer = resolve; });
  });
  for (const wish of [1, 2, 3]) ask("slider", wish);
  expect(asked).toEqual([1]);
  answer();
  await Promise.resolve();
  await Promise.resolve();
  expect(asked).toEqual([1, 3]);
});

describe("the worklist", () => {
  const region = { shape: SHAPE, shown: null, numbers: [numbers(PT)], findings: [] };
  const totals = {
    threshold: "SUV 4", level: 4, unit: "SUVbw", lesions: 1, mtv_ml: 2, tlg: 10, max: 10, peak: 9, dmax_mm: null,
    too_small: 0, too_small_ml: 0, excluded_ml: [], findings: [],
  }; // prettier-ignore

  it("asks anew without what is left out, and keeps what is accepted as lesions", async () => {
    const asked = serviceWith({ "POST /api/tumour-burden": { regions: [region], totals } });
    await findLesions({ threshold: { of: "absolute", value: 4 }, minimum_ml: 1 });
    await exclude(region);
    const bodies = asked.map((each) => each.body as { exclude: unknown[]; series: { series: string } });
    expect(bodies.map(({ exclude: left, series }) => [series.series, left])).toEqual([[PT, []], [PT, [SHAPE]]]);
    accept(useBurden.getState().candidates);
    expect(now().doc.regions).toMatchObject([{ kind: "lesion", series: PT, rule: { kind: "shape" } }]);
    expect(useBurden.getState()).toMatchObject({ candidates: [], excluded: [{ shape: SHAPE }] });
    now().undo();
    expect(now().doc.regions).toEqual([]);
  });
});

it("a ball paints through slices, a disc in one", () => {
  const empty = { grid: { ...SHAPE.grid, spacing_mm: [4, 4, 4] as Vector }, bounds: [0, 0, 0, 0, 0, 0], inside: new Uint8Array(0) };
  const slices = (isBall: boolean) => {
    const { bounds, inside } = painted(empty, { points_mm: [[40, 40, 40]], radius_mm: 9, normal: [0, 0, 1], isBall }, true);
    const [i0 = 0, i1 = 0, j0 = 0, j1 = 0] = bounds;
    const each = (i1 - i0) * (j1 - j0);
    return new Set([...inside.keys()].filter((voxel) => inside[voxel]).map((voxel) => Math.floor(voxel / each))).size;
  };
  expect([slices(false), slices(true)]).toEqual([1, 5]);
});

describe("a dose", () => {
  const grey = Uint8Array.from({ length: 1024 }, (_, which) => (which % 4 === 3 ? 255 : Math.floor(which / 4)));

  it("covers nothing in its lowest tenth, and has one colour between isodoses", () => {
    const wash = washOf(grey, true);
    expect([wash[4 * 25 + 3], wash[4 * 26 + 3]]).toEqual([0, 255]);
    expect(new Set(Array.from({ length: 256 }, (_, step) => wash[4 * step])).size).toBe(10);
    expect(washOf(grey, false)[4 * 200]).toBe(200);
  });

  it("has its isodoses at tenths of the window", () => {
    expect(isodosesOf(0, 60).slice(0, 2)).toEqual([60, 54]);
    expect(tickStep(48.9)).toBe(10);
  });
});
