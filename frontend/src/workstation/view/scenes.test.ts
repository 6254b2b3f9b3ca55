import { afterEach, describe, expect, it } from "vitest";

import type { VolumeFacts } from "../../api/workstation";
import { viewOf as seriesView } from "../model/document";
import { NOTHING, useWorkspace } from "../model/store";
import type { VoxelTexture } from "./engine/texture";
import { blockedIn, coloursOf, lookOf, shownIn, viewKey } from "./scenes";

function facts(series: string, frame: string, kind: VolumeFacts["alignment"]["kind"]): VolumeFacts {
  return {
    id: `id ${series}`, SeriesInstanceUID: series, FrameOfReferenceUID: frame, alignment: { kind }, unit: "HU",
    shape: [4, 8, 8], origin_mm: [0, 0, 0], spacing_mm: [1, 1, 1], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    window: { low: 0, high: 10 }, colours: "gray",
  } as unknown as VolumeFacts; // prettier-ignore
}

function opened(...over: VolumeFacts[]) {
  const doc = { ...NOTHING.doc, base: seriesView("ct"), overlay: seriesView("pt") };
  useWorkspace.setState({ ...NOTHING, doc });
  for (const each of [facts("ct", "1.2", "base"), ...over]) useWorkspace.getState().setFacts(each.SeriesInstanceUID, each);
  return useWorkspace.getState();
}

afterEach(() => { useWorkspace.setState(NOTHING); });

const REFUSED = { status: 409, sentence: "Not registered.", setting: "registration" };
const SPEC = { pane: "axial", plane: "axial", role: "fused" } as const;
const ROOM = { width: 80, height: 60 };
const CARD = { voxels: ({ shape }: VolumeFacts) => ({ grid: { shape }, factor: 1 }) as unknown as VoxelTexture };

describe("a fused pane", () => {
  it("lays the overlay over the base in one frame of reference", () => {
    const state = opened(facts("pt", "1.2", "same frame"));
    expect(shownIn(state, "fused")?.above?.SeriesInstanceUID).toBe("pt");
    expect(blockedIn(state, "fused")).toBeNull();
  });

  it.each([
    ["of another frame of reference", facts("pt", "9.9", "same frame")],
    ["that was laid onto nothing", facts("pt", "1.2", "base")],
    ["without a frame of reference", facts("pt", "", "same frame")],
  ])("shows no overlay %s, whatever the service said", (_, over) => {
    const state = opened(over);
    expect(shownIn(state, "fused")?.above).toBeNull();
    expect(blockedIn(state, "fused")).toBe("pt");
  });

  it("shows no overlay that was refused", () => {
    opened();
    useWorkspace.getState().setProblem("pt", REFUSED);
    useWorkspace.getState().setFacts("pt", facts("pt", "1.2", "registered"), { isAlone: true });
    const state = useWorkspace.getState();
    expect(shownIn(state, "fused")?.above).toBeNull();
    expect(blockedIn(state, "fused")).toBe("pt");
  });

  it("is drawn anew when its window changes, and not when another series' does", () => {
    const key = () => lookOf(useWorkspace.getState(), SPEC, ROOM, { columns: 80, rows: 60, card: CARD })?.key;
    opened(facts("pt", "1.2", "same frame"));
    const before = key();
    expect(before).toBeDefined();
    useWorkspace.getState().setHover({ pane: "coronal", point_mm: [1, 1, 1] });
    expect(key()).toBe(before);
    useWorkspace.getState().setWindow("pt", 0, 5);
    expect(key()).not.toBe(before);
  });

  it("subtracts values of one unit under one window", () => {
    opened(facts("pt", "1.2", "same frame"));
    useWorkspace.getState().setWindow("pt", 0, 99);
    useWorkspace.getState().setMode("difference");
    const scene = lookOf(useWorkspace.getState(), SPEC, ROOM, { columns: 80, rows: 60, card: CARD })?.scene;
    expect([scene?.overlay?.low, scene?.overlay?.high]).toEqual([0, 10]);
  });
});

it("a series that lies in no shared frame is looked at by itself", () => {
  const state = opened(facts("pt", "9.9", "base"));
  const shown = shownIn(state, "overlay");
  expect(shown?.isAlone).toBe(true);
  expect(shown && viewKey({ pane: "overlay", plane: "axial", role: "overlay" }, shown)).toBe("overlay");
});

it("an inverted colour map is the same from the other end", () => {
  const display = { low: 0, high: 1, colours: "hot-iron", opacity: 1, is_inverted: false };
  const [straight, inverted] = [coloursOf(display), coloursOf({ ...display, is_inverted: true })];
  expect([...inverted.subarray(0, 4)]).toEqual([...straight.subarray(4 * 255)]);
  expect(coloursOf({ ...display, low: 3 })).toBe(straight);
});
