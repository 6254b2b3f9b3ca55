import { describe, expect, it } from "vitest";

import type { Vector } from "../../api/workstation";
import { CT, MR, facts } from "../test/scene";
import { after, inverse, movedPoint } from "../view/engine/matrices";
import { movedPlane } from "../view/engine/grid";
import { centred, handOf, matrixBetween, matrixOfHand, nudged, type Six } from "./hand";

const GRID = facts(CT);
const NEAR = (one: readonly number[], other: readonly number[]) => {
  one.forEach((value, at) => { expect(value).toBeCloseTo(other[at] ?? NaN, 6); });
};
const SIX: Six = { centre_mm: [254, 254, 78], shift_mm: [5, -7, 11], turn_degrees: [10, -20, 30] };

describe("six numbers", () => {
  it("turn about the middle, then shift, as radfuse.registration.manual does", () => {
    const matrix = matrixOfHand({ centre_mm: [10, 0, 300], shift_mm: [0, 2, 0], turn_degrees: [0, 0, 90] });
    const back = inverse(matrix);
    NEAR(movedPoint(back, [10, 0, 300]), [10, 2, 300]);
    // Towards the left becomes towards the back.
    NEAR(movedPoint(back, [20, 0, 300]), [10, 12, 300]);
    // Of SixParameters((254, 254, 78), (5, -7, 11), (10, -20, 30)).transform.apply((0, 0, 0)).
    NEAR(movedPoint(matrixOfHand(SIX), [0, 0, 0]), [-103.26543089, 177.00770548, 127.44288092]);
  });

  it("come back from their matrix", () => {
    const found = handOf(matrixOfHand(SIX), GRID);
    NEAR(found.centre_mm, SIX.centre_mm);
    NEAR(found.shift_mm, SIX.shift_mm);
    NEAR(found.turn_degrees, SIX.turn_degrees);
  });

  it("turn about where the middle is now, and leave it there", () => {
    const moved = nudged(SIX, [0, 0, 0], { about: [0, 0, 1], degrees: 15 });
    NEAR(moved.shift_mm, SIX.shift_mm);
    NEAR(moved.turn_degrees, [10, -20, 45]);
    expect(nudged(SIX, [1, 0, 0]).turn_degrees).toEqual(SIX.turn_degrees);
  });

  it("begin with the middle on the middle", () => {
    const six = centred(GRID, facts(MR, { origin_mm: [100, 200, 300] }));
    NEAR(six.shift_mm, [-100, -200, -300]);
  });
});

it("the way from voxels laid over the base to the same voxels by themselves is the registration", () => {
  const alone = facts(MR, { origin_mm: [1, 2, 3] });
  const onBase = facts(MR, { origin_mm: [50, 60, 70], direction: [0, 1, 0, -1, 0, 0, 0, 0, 1] });
  const matrix = matrixBetween(onBase, alone);
  NEAR(movedPoint(matrix, [50, 60, 70]), [1, 2, 3]);
  NEAR(movedPoint(matrix, [50, 64, 70]), [5, 2, 3]);
  NEAR(after(matrix, inverse(matrix)), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
});

it("a plane is looked up where a matrix puts its points", () => {
  const matrix = matrixOfHand(SIX);
  const plane = { first_mm: [1, 2, 3] as Vector, across_mm: [2, 0, 0] as Vector, down_mm: [0, 2, 0] as Vector, normal: [0, 0, 1] as Vector };
  const moved = movedPlane(plane, matrix);
  NEAR(moved.first_mm, movedPoint(matrix, [1, 2, 3]));
  NEAR([0, 1, 2].map((at) => (moved.first_mm[at] ?? 0) + (moved.across_mm[at] ?? 0)), movedPoint(matrix, [3, 2, 3]));
  expect(movedPlane(plane, null)).toBe(plane);
});
