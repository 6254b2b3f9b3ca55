import { beforeEach, describe, expect, it } from "vitest";

import type { Vector } from "../../api/workstation";
import { useWorkspace } from "../model/store";
import { CT, facts, openScene } from "../test/scene";
import { spanIn } from "./Crosshair";
import { layersOf, type Grid } from "./engine/grid";
import { cross, dot } from "./engine/vectors";
import { pansAfter, startFollowing } from "./following";
import { outlineOf } from "./outlines";
import { axesOf, letterOf, opposite, placeOf, viewOfPane } from "./planes";
import { refusalIn } from "./tools/drags";
import { stepped } from "./tools/scrolling";
import { rowsOf, turnedBy } from "./turning";

const GRID: Grid = {
  shape: [50, 100, 200],
  origin_mm: [-99.5, -49.5, -122.5],
  spacing_mm: [1, 1, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const ROOM = { width: 400, height: 300 };
const PLANES = ["axial", "coronal", "sagittal"] as const;
const HEAD: Vector = [0, 0, 1];
const close = (found: readonly number[], wanted: readonly number[]) => {
  wanted.forEach((each, at) => { expect(found[at]).toBeCloseTo(each, 12); });
};

/** Turned in one plane after the other, as people do. */
const turnedTwice = turnedBy(turnedBy(null, [0, 0, -1], 30), axesOf("coronal", turnedBy(null, [0, 0, -1], 30), GRID).normal, -20);

describe("planes that are turned", () => {
  it("stay at right angles and right-handed", () => {
    let turn: number[] | null = null;
    for (let step = 0; step < 500; step++) turn = turnedBy(turn, axesOf(PLANES[step % 3] ?? "axial", turn, GRID).normal, 7);
    const [left, back, head] = rowsOf(turn);
    close(cross(left, back), head);
    close(cross(back, head), left);
    for (const plane of PLANES) {
      const { right, down, normal, onward } = axesOf(plane, turn, GRID);
      close([dot(right, right), dot(down, down), dot(right, down)], [1, 1, 0]);
      close(cross(right, down), normal);
      expect(dot(normal, onward)).toBeCloseTo(dot(axesOf(plane, null, GRID).normal, axesOf(plane, null, GRID).onward), 9);
    }
  });

  it("are turned by the sum of two turns", () => {
    close(turnedBy(turnedBy(null, HEAD, 10), HEAD, 25) ?? [], turnedBy(null, HEAD, 35) ?? [NaN]);
  });

  it("are exactly the old ones when they are straight again", () => {
    expect(turnedBy(turnedBy(null, HEAD, 30), HEAD, -30)).toBeNull();
    expect(turnedBy(null, HEAD, 360)).toBeNull();
    for (const plane of PLANES) {
      const { right, down } = axesOf(plane, [1, 0, 0, 0, 1, 0, 0, 0, 1], GRID);
      expect([right, down]).toEqual([axesOf(plane, null, GRID).right, axesOf(plane, null, GRID).down]);
    }
  });

  it("leave the plane in which they are turned as it is, but for its lines", () => {
    const turn = turnedBy(null, axesOf("axial", null, GRID).normal, 30);
    const [axial, coronal, sagittal] = PLANES.map((plane) => axesOf(plane, turn, GRID));
    expect(axial?.lean_degrees).toBe(0);
    expect(axial?.right).toEqual([1, 0, 0]);
    // Clockwise on the screen: the line to the right goes down.
    close(axial?.lines[0] ?? [], [Math.cos(Math.PI / 6), 0.5, 0]);
    for (const each of [coronal, sagittal]) {
      expect(each?.lean_degrees).toBeCloseTo(30, 9);
      close(each?.down ?? [], [0, 0, -1]);
    }
    close(coronal?.right ?? [], [Math.cos(Math.PI / 6), 0.5, 0]);
  });

  it("say towards which sides they look", () => {
    const { right } = axesOf("coronal", turnedBy(null, [0, 0, 1], 30), GRID);
    expect([right, opposite(right)].map(letterOf)).toEqual(["LP", "RA"]);
  });

  it("cut each other along the lines that the others draw", () => {
    for (const plane of PLANES) {
      const { normal, lines } = axesOf(plane, turnedTwice, GRID);
      for (const line of lines) expect(dot(line, normal)).toBeCloseTo(0, 12);
    }
  });

  it("go through the crosshair's point and keep the scale", () => {
    const at: Vector = [10, 20, 30];
    for (const plane of PLANES) {
      const turned = viewOfPane(GRID, axesOf(plane, turnedTwice, GRID), ROOM, at);
      expect(placeOf(turned, at)[2]).toBeCloseTo(0, 9);
      expect(turned.mm_per_pixel).toBe(viewOfPane(GRID, axesOf(plane, null, GRID), ROOM, at).mm_per_pixel);
    }
  });

  it("are the others' sides when they are turned the whole way round", () => {
    const behind = axesOf("coronal", turnedBy(null, HEAD, 180), GRID);
    close(behind.right, [-1, 0, 0]);
    close(behind.down, [0, 0, -1]);
  });
});

describe("what is done in a turned plane", () => {
  const volume = facts(CT, { ...GRID });
  const view = viewOfPane(GRID, axesOf("coronal", turnedTwice, GRID), ROOM, [0, 0, 0]);

  beforeEach(openScene);

  it("goes along its normal by the finest spacing", () => {
    const next = stepped({ anchor: volume, below: volume, above: null, isAlone: false }, view, [0, 0, 0], 3);
    close(next, view.onward.map((each) => 3 * each));
    expect(layersOf(GRID, 10).step_mm).toBe(1);
  });

  it("is refused where it goes by voxels of a slice, and only there", () => {
    expect(refusalIn(view, "contour")).toContain("make all planes straight");
    expect(refusalIn(view, "brush")).toContain("make all planes straight");
    for (const tool of ["length", "angle", "sphere", "threshold", "grow"] as const) expect(refusalIn(view, tool)).toBe("");
    useWorkspace.getState().setOption({ brush_is_ball: true });
    expect(refusalIn(view, "brush")).toBe("");
    expect(refusalIn({ lean_degrees: 0 }, "contour")).toBe("");
  });

  it("draws the outline of a region where the plane cuts it", () => {
    const grid = { ...GRID, spacing_mm: [1, 1, 1] as Vector, FrameOfReferenceUID: "1.2" };
    const bounds = [90, 110, 40, 60, 10, 30];
    const cube = { grid, bounds, inside: new Uint8Array(20 ** 3).fill(1) };
    const middle: Vector = [0, 0, -103];
    const turn = turnedBy(null, HEAD, 45);
    const found = outlineOf(cube, axesOf("coronal", turn, GRID), middle);
    const across = [...(found?.path.matchAll(/[ML](-?[\d.]+) /g) ?? [])].map((each) => Number(each[1]));
    // Corner to corner of a cube of 20 mm.
    expect(Math.max(...across) - Math.min(...across)).toBeCloseTo(20 * Math.SQRT2, -0.5);
    expect(outlineOf(cube, axesOf("coronal", turn, GRID), [40, 0, -103])).toBeNull();
  });
});

describe("a zoomed pane", () => {
  beforeEach(openScene);

  it("keeps the crosshair where it is while its plane turns, and is as before when that is undone", () => {
    const stop = startFollowing();
    const { setCursor, setZoom, setPan, setPlaneTurn, undo } = useWorkspace.getState();
    const grid = facts(CT);
    setCursor([40, 300, 100]);
    setZoom("coronal", 4);
    setPan("coronal", [-150, 20]);
    const place = () => {
      const { doc } = useWorkspace.getState();
      const axes = axesOf("coronal", doc.plane_turn, grid);
      return placeOf(viewOfPane(grid, axes, ROOM, [40, 300, 100], doc.zoom.coronal, doc.pan.coronal), [40, 300, 100]);
    };
    const before = place();
    setPlaneTurn(turnedBy(null, HEAD, 30));
    expect(useWorkspace.getState().doc.pan.coronal?.[0]).not.toBe(-150);
    place().forEach((each, at) => { expect(each).toBeCloseTo(before[at] ?? NaN, 3); });
    undo();
    expect(useWorkspace.getState().doc.plane_turn).toBeNull();
    expect(useWorkspace.getState().doc.pan.coronal).toEqual([-150, 20]);
    stop();
  });

  it("is the only one that moves", () => {
    const { doc } = useWorkspace.getState();
    const turn = turnedBy(null, HEAD, 30);
    expect(pansAfter(null, { ...doc, cursor_mm: [40, 300, 100], plane_turn: turn }, facts(CT))).toEqual({});
  });
});

describe("a line of the crosshair", () => {
  it("goes from edge to edge", () => {
    expect(spanIn(ROOM, [100, 50], [1, 0])).toEqual([-100, 300]);
    expect(spanIn(ROOM, [100, 50], [0, -1])).toEqual([-250, 50]);
    expect(spanIn(ROOM, [-20, 50], [0, 1])).toBeNull();
    const [from, to] = spanIn(ROOM, [100, 50], [Math.SQRT1_2, Math.SQRT1_2]) ?? [];
    expect(from).toBeCloseTo(-50 * Math.SQRT2, 9);
    expect(to).toBeCloseTo(250 * Math.SQRT2, 9);
  });
});
