import { describe, expect, it } from "vitest";

import type { KeptRegion } from "../../api/workstation";
import { CT, LESION, MR, PT, numbers } from "../test/scene";
import { changesAt, labelOf, percentWords } from "./words";

const region = (then: Parameters<typeof numbers>[1]): KeptRegion => ({
  ...LESION, id: "1", number: 1, colour: [1, 2, 3], made_by: "", made_s: 0, name: "Lesion 1",
  numbers: [numbers(PT, { max: 5 }), numbers(MR, then)],
}); // prettier-ignore

describe("against the prior", () => {
  it("each number changed by so much per cent of then", () => {
    expect(changesAt(region({ max: 10 }), MR)).toContainEqual({ name: "max", prior: 10, current: 5, percent: -50 });
    expect([-50, 12.4, 0, null].map(percentWords)).toEqual(["−50 %", "+12 %", "±0 %", "–"]);
  });

  it("nothing is compared that was not carried, or has another unit", () => {
    expect(changesAt(region({ mean: null, findings: ["not registered: no path"] }), MR)).toBe("Not carried to the prior: not registered: no path");
    expect(changesAt(region({ unit: "Bq/ml" }), MR)).toBe("The prior is in Bq/ml, not in SUVbw.");
    expect(changesAt(region({}), CT)).toBe("");
  });
});

it("beside a region stand SUV and HU", () => {
  expect(labelOf(numbers(PT), 80)).toEqual(["SUVbw max 10.0 peak 9.00 mean 5.00 2.00 ml"]);
  expect(labelOf(numbers(PT), 26)).toEqual(["SUVbw max 10.0 peak 9.00", "mean 5.00 2.00 ml"]);
  expect(labelOf(numbers(CT, { peak: null, mean: 39, sd: 12 }), 80)).toEqual(["HU 39.0 ± 12.0"]);
  expect(labelOf(numbers(CT, { mean: null }), 80)).toEqual([]);
});
