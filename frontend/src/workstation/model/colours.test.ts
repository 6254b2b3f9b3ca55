import { describe, expect, it } from "vitest";

import { COLOUR_MAPS, tableOf } from "./colours";

const at = (name: string, step: number) => [...tableOf(name).slice(3 * step, 3 * step + 3)];

describe("colour maps", () => {
  it("hot iron is the palette of the standard (PS3.6 section B.1.1)", () => {
    expect([0, 1, 127, 128, 192, 193, 255].map((step) => at("hot-iron", step))).toEqual([
      [0, 0, 0], [2, 0, 0], [254, 0, 0], [255, 0, 0], [255, 128, 0], [255, 130, 4], [255, 254, 252],
    ]); // prettier-ignore
  });

  it("inverted grey is dark where it is high", () => {
    expect([at("inverted", 0), at("inverted", 255)]).toEqual([[255, 255, 255], [0, 0, 0]]);
  });

  it.each(Object.keys(COLOUR_MAPS))("%s has 256 colours", (name) => {
    expect(tableOf(name)).toHaveLength(768);
  });

  it("an unknown one is grey", () => {
    expect(at("unheard of", 128)).toEqual([128, 128, 128]);
  });
});
