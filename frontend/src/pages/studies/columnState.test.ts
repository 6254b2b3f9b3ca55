import { describe, expect, it } from "vitest";

import { AS_DESIGNED, fitting, parsed, resized, template, toggled, widthsOf, type ColumnShape } from "./columnState";

const NAME: ColumnShape = { id: "name", width_px: 200, min_px: 100, grows: 1 };
const DATE: ColumnShape = { id: "date", width_px: 100, min_px: 60 };
const SIZE: ColumnShape = { id: "size", width_px: 80, min_px: 60, leaves: 2 };
const BORN: ColumnShape = { id: "born", width_px: 80, min_px: 60, leaves: 1 };
const ID: ColumnShape = { id: "id", width_px: 80, min_px: 60, isExtra: true };
const COLUMNS = [NAME, BORN, DATE, SIZE, ID];
const ids = (columns: ColumnShape[]) => columns.map((column) => column.id).join(" ");

describe("columns", () => {
  it("shrink when the room gets narrow, then leave in their order", () => {
    expect(ids(fitting(COLUMNS, AS_DESIGNED, 280))).toBe("name born date size");
    expect(ids(fitting(COLUMNS, AS_DESIGNED, 279))).toBe("name born date");
    expect(ids(fitting(COLUMNS, AS_DESIGNED, 219))).toBe("name date");
    expect(ids(fitting(COLUMNS, AS_DESIGNED, 10))).toBe("name date");
  });

  it("are shown and hidden on request", () => {
    const state = toggled(toggled(AS_DESIGNED, ID), BORN);
    expect(ids(fitting(COLUMNS, state, 1000))).toBe("name date size id");
  });

  it("get what they should have before the growing ones take the rest", () => {
    const columns = [NAME, BORN, DATE];
    expect(widthsOf(columns, AS_DESIGNED, 220)).toEqual([100, 60, 60]);
    expect(widthsOf(columns, AS_DESIGNED, 300)).toEqual([150, 70, 80]);
    expect(widthsOf(columns, AS_DESIGNED, 380)).toEqual([200, 80, 100]);
    expect(widthsOf(columns, AS_DESIGNED, 500)).toEqual([320, 80, 100]);
  });

  it("stay as wide as somebody made them", () => {
    expect(template([NAME, DATE], resized(AS_DESIGNED, DATE, 10), 400)).toBe("360px 40px");
    expect(template([NAME, DATE], resized(AS_DESIGNED, NAME, 300), 600)).toBe("300px 100px");
  });

  it("are remembered, and anything else in their place is not", () => {
    const state = resized(toggled(AS_DESIGNED, ID), DATE, 120);
    expect(parsed(JSON.stringify(state))).toEqual(state);
    for (const text of [null, "", "{", "null", "7", '{"widths_px": 3, "shown": {"a": 1}}']) {
      expect(parsed(text)).toEqual(AS_DESIGNED);
    }
  });
});
