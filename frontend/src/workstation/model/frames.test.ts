import { beforeEach, describe, expect, it } from "vitest";

import { serviceWith } from "../../test/service";
import { CT, FRAME, LESION, MR, PT, SHAPE, facts, numbers, openScene } from "../test/scene";
import { viewOf } from "./document";
import { isOnItsBase, remakeRegion } from "./making";
import { isLineHere, placeOfRegion, shapeOf } from "./shapes";
import { useWorkspace } from "./store";

const now = () => useWorkspace.getState();
const ELSEWHERE = { ...SHAPE, grid: { ...SHAPE.grid, FrameOfReferenceUID: "1.2.3.8" } };
const MOVED = { ...SHAPE, bounds: [10, 12, 10, 12, 10, 12] };
const ASK = "POST /api/regions";

beforeEach(openScene);

const lesion = (change = {}) => {
  const id = now().addRegion({ ...LESION, ...change });
  const found = () => now().doc.regions.filter((each) => each.id === id);
  return { id, is: () => { const [one] = found(); if (!one) throw new Error("gone"); return one; } };
};

describe("a region of another frame than the base's", () => {
  it("is drawn where the service says that it lies, and after undo not where other voxels lay", () => {
    const { id, is } = lesion({ shape: ELSEWHERE });
    now().setShown(id, SHAPE);
    expect(shapeOf(now(), is())).toBe(SHAPE);
    now().changeRegion(id, { shape: { ...ELSEWHERE } });
    now().setShown(id, MOVED);
    expect(shapeOf(now(), is())).toBe(MOVED);
    now().undo();
    expect(is().shape).toBe(ELSEWHERE);
    expect(shapeOf(now(), is())).toBeNull();
  });

  it("is asked for again when a series lies by another way", () => {
    const { id, is } = lesion({ shape: ELSEWHERE });
    now().setShown(id, SHAPE);
    now().forget(PT);
    expect(shapeOf(now(), is())).toBeNull();
  });

  it("is looked for where it is shown, never at a point of its own frame", () => {
    const hot = { numbers: [numbers(PT, { max_at_mm: [70, 80, 90] })] };
    expect(placeOfRegion(now(), lesion(hot).is())).toEqual([70, 80, 90]);
    const { id, is } = lesion({ ...hot, shape: ELSEWHERE });
    expect(placeOfRegion(now(), is())).toBeNull();
    now().setShown(id, MOVED);
    expect(placeOfRegion(now(), is())).toEqual([42, 42, 42]);
  });
});

describe("points", () => {
  it("of a rule are sent with the base that they were drawn on, and values in their unit", async () => {
    const { id, is } = lesion({ base: CT });
    now().setBase(viewOf(MR));
    now().setFacts(MR, facts(MR, { FrameOfReferenceUID: "1.2.3.8" }));
    now().changeView(PT, { unit: "BQML" });
    const asked = serviceWith({ [ASK]: { shape: SHAPE, shown: null, numbers: [numbers(PT)], findings: [] } });
    await remakeRegion(id, { ...LESION.rule, kind: "threshold", seed_mm: [1, 2, 3], of: "absolute", value: 4, within: null });
    await remakeRegion(id, { kind: "shape", shape: SHAPE });
    expect(asked.map((each) => each.body)).toMatchObject([{ base: CT, series: { unit: "SUVbw" } }, { base: MR }]);
    expect(isOnItsBase(now(), is())).toBe(false);
  });

  it("of a line are drawn in their own frame alone", () => {
    const states = [CT, PT, MR].map((series) => isLineHere(now(), { series }));
    expect([now().facts[CT]?.FrameOfReferenceUID, ...states]).toEqual([FRAME, true, true, false]);
  });
});

describe("a consent", () => {
  it("holds for one series on one base, either way round", () => {
    now().changeView(PT, { allow_failed: true, allow_other_patient: true, allow_other_side: true, only: ["2.25.1"] });
    now().flip();
    expect(now().doc.overlay).toMatchObject({ series: CT, allow_failed: true, allow_other_patient: true, allow_other_side: true, only: ["2.25.1"] });
    expect(now().doc.base).toMatchObject({ series: PT, allow_failed: false, only: [] });
    now().flip();
    now().setBase(viewOf(MR));
    expect(now().doc.overlay).toMatchObject({ series: PT, allow_failed: false, allow_other_patient: false, allow_other_side: false });
  });

  it("does not come along when base and overlay change places in another way", () => {
    now().setPrior(viewOf(MR, { allow_failed: true }));
    now().setOverlay(viewOf(CT));
    expect(now().doc.base?.series).toBe(PT);
    expect(now().doc.prior).toMatchObject({ series: MR, allow_failed: false });
  });
});
