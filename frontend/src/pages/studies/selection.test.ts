import { describe, expect, it } from "vitest";

import { NOTHING_SELECTED, all, click, move, only, pruned, toggle, type Selected } from "./selection";

const ROWS = ["a", "b", "c", "d", "e"];
const text = (selected: Selected) => [...selected.chosen].sort().join("");

describe("clicking rows", () => {
  it("selects one alone", () => {
    expect(text(click(only("b"), ROWS, "d"))).toBe("d");
  });

  it("adds and takes away with Ctrl", () => {
    const two = click(only("b"), ROWS, "d", { ctrl: true });
    expect(text(two)).toBe("bd");
    expect(text(click(two, ROWS, "b", { ctrl: true }))).toBe("d");
  });

  it("selects from the anchor with Shift, in both directions, again and again", () => {
    const down = click(only("c"), ROWS, "e", { shift: true });
    expect(text(down)).toBe("cde");
    expect(text(click(down, ROWS, "a", { shift: true }))).toBe("abc");
  });

  it("adds a range with Ctrl and Shift", () => {
    const apart = click(only("a"), ROWS, "c", { ctrl: true });
    expect(text(click(apart, ROWS, "d", { ctrl: true, shift: true }))).toBe("acd");
  });

  it("selects the row alone when the anchor is gone", () => {
    expect(text(click(only("gone"), ROWS, "b", { shift: true }))).toBe("b");
  });
});

describe("moving by keyboard", () => {
  it("begins at the end that is moved from", () => {
    expect(move(NOTHING_SELECTED, ROWS, 1).active).toBe("a");
    expect(move(NOTHING_SELECTED, ROWS, -1).active).toBe("e");
  });

  it("stops at the ends", () => {
    expect(move(only("d"), ROWS, 20).active).toBe("e");
    expect(move(only("b"), ROWS, -Infinity).active).toBe("a");
    expect(move(only("b"), ROWS, Infinity).active).toBe("e");
  });

  it("stretches the selection with Shift", () => {
    const two = move(only("b"), ROWS, 1, { shift: true });
    expect(text(two)).toBe("bc");
    expect(text(move(two, ROWS, 1, { shift: true }))).toBe("bcd");
  });

  it("leaves the selection with Ctrl, for the space bar to change it", () => {
    const moved = move(only("b"), ROWS, 1, { ctrl: true });
    expect([text(moved), moved.active]).toEqual(["b", "c"]);
    expect(text(toggle(moved, "c"))).toBe("bc");
  });

  it("does nothing in an empty list", () => {
    expect(move(NOTHING_SELECTED, [], 1)).toBe(NOTHING_SELECTED);
  });
});

describe("what is selected", () => {
  it("may be all", () => {
    expect(text(all(NOTHING_SELECTED, ROWS))).toBe("abcde");
  });

  it("loses what is gone, and is the same object when nothing is", () => {
    const some = click(only("b"), ROWS, "d", { ctrl: true });
    expect(pruned(some, new Set(ROWS))).toBe(some);
    const left = pruned(some, new Set(["b"]));
    expect([text(left), left.active]).toEqual(["b", null]);
  });
});
