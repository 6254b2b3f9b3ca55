import { describe, expect, it } from "vitest";

import type { VolumeFacts } from "../../../api/workstation";
import { axesOf, viewOfPane } from "../planes";
import { angleOf, windowMoved } from "./drags";
import { slicesOf, stepped, wheelSteps } from "./scrolling";

const FACTS = {
  shape: [11, 20, 20],
  origin_mm: [0, 0, -25],
  spacing_mm: [2, 2, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as unknown as VolumeFacts;
const SHOWN = { anchor: FACTS, below: FACTS, above: null, isAlone: false };
const VIEW = viewOfPane(FACTS, axesOf("axial", null, FACTS), { width: 100, height: 100 }, [0, 0, 0]);

describe("scrolling", () => {
  it("goes towards the feet, one slice a notch", () => {
    expect(wheelSteps(0, { deltaY: 120, deltaMode: 0 })).toEqual({ steps: 1, rest: 0 });
    expect(wheelSteps(0, { deltaY: -3, deltaMode: 1 })).toEqual({ steps: -1, rest: 0 });
    expect(stepped(SHOWN, VIEW, [4, 6, 0], 1)).toEqual([4, 6, -5]);
  });

  it("adds up what a touch pad sends in small parts", () => {
    const first = wheelSteps(0, { deltaY: 20, deltaMode: 0 });
    expect(first.steps).toBe(0);
    expect(wheelSteps(first.rest, { deltaY: 20, deltaMode: 0 })).toEqual({ steps: 1, rest: 10 });
  });

  it("ends at the last slice", () => {
    expect(stepped(SHOWN, VIEW, [0, 0, 0], slicesOf("PageDown"))).toEqual([0, 0, -25]);
    expect(stepped(SHOWN, VIEW, [0, 0, 0], slicesOf("PageUp"))).toEqual([0, 0, 25]);
    expect([slicesOf("q"), slicesOf("Home")]).toEqual([0, 0]);
  });
});

describe("the window tool", () => {
  const display = { low: -160, high: 240, colours: "gray", opacity: 1, is_inverted: false };

  it("widens to the right and moves up with the pointer going down", () => {
    const wide = windowMoved(display, 50, 0);
    expect(wide.high - wide.low).toBeGreaterThan(400);
    expect((wide.high + wide.low) / 2).toBeCloseTo(40, 9);
    expect(windowMoved(display, 0, 25)).toEqual({ low: -120, high: 280 });
  });

  it("leaves a window that begins at 0 there", () => {
    const { low, high } = windowMoved({ ...display, low: 0, high: 7 }, 40, 0);
    expect(low).toBe(0);
    expect(high).toBeLessThan(7);
  });
});

it("an angle is that between its legs", () => {
  expect(angleOf([1, 0, 0], [0, 0, 0], [0, 3, 0])).toBeCloseTo(90, 9);
});
