import { beforeEach, describe, expect, it } from "vitest";

import type { Opening, OpeningSeries } from "../../api/workstation";
import { EMPTY, viewOf } from "../model/document";
import { proposed } from "../model/opening";
import { useWorkspace } from "../model/store";
import { OPENING, openScene } from "../test/scene";
import { activeOf, closeTile, placed, showImages, showSeries, tilesOf, useLooking, withImages } from "./model";

const series = (uid: string, shows_as: OpeningSeries["shows_as"]): OpeningSeries => ({
  SeriesInstanceUID: uid, Modality: "OT", SeriesDescription: uid, instances: 1, FrameOfReferenceUID: "", shows_as, reason: "",
});
const FLAT: Opening = {
  ...OPENING,
  studies: [{ ...OPENING.studies[0]!, series: [series("sr", "document"), series("us", "cine"), series("ecg", "waveform"), series("ct", "volume")] }],
};

beforeEach(() => {
  openScene();
  useWorkspace.getState().learn({ opening: FLAT });
  useLooking.setState({ active: "", wanted: {}, alone: "" });
});
const tiles = () => tilesOf(useWorkspace.getState().doc, FLAT);

describe("which series are shown", () => {
  it("is what was chosen, else the base, else the first with pictures", () => {
    expect(tilesOf({ images: ["ecg", "gone", "sr"], base: viewOf("ct") }, FLAT)).toEqual(["ecg", "sr"]);
    expect(tilesOf({ base: viewOf("ct") }, FLAT)).toEqual(["ct"]);
    expect(tilesOf({ images: [], base: null }, FLAT)).toEqual(["us"]);
    expect(tilesOf({ base: null }, null)).toEqual([]);
  });

  it("changes in place, or beside the others, each once and six at most", () => {
    expect(placed(["a", "b"], "c", 0)).toEqual(["c", "b"]);
    expect(placed(["a", "b"], "c", null)).toEqual(["a", "b", "c"]);
    expect(placed(["a", "b"], "b", 0)).toEqual(["a", "b"]);
    expect(placed(["a", "b", "c", "d", "e", "f"], "g", null)).toEqual(["b", "c", "d", "e", "f", "g"]);
  });

  it("is kept with the draft", () => {
    showSeries("us");
    showSeries("ecg", true);
    showSeries("sr");
    expect(tiles()).toEqual(["us", "sr"]);
    expect(useWorkspace.getState().draft.is_dirty).toBe(true);
    closeTile("us");
    expect(tiles()).toEqual(["sr"]);
    expect(activeOf(tiles(), useLooking.getState().active)).toBe("sr");
  });

  it("goes to one image of a series, and again when it is asked for again", () => {
    showImages("us", { instance: "1.2", frame: 12 });
    showImages("us", { instance: "1.2", frame: 12 });
    expect(useWorkspace.getState().doc.layout).toBe("images");
    expect(useLooking.getState().wanted).toEqual({ us: { instance: "1.2", frame: 12, asked: 2 } });
  });
});

describe("a series that is no volume", () => {
  it("is no base when it is opened", () => {
    const opened = withImages({ ...EMPTY, base: viewOf("us"), overlay: viewOf("ct"), others: [viewOf("ecg")] }, FLAT);
    expect(opened).toMatchObject({ layout: "images", images: ["us", "ecg"], base: null, overlay: { series: "ct" }, others: [] });
  });

  it("leaves the draft of a volume as it is", () => {
    const state = { ...EMPTY, base: viewOf("ct"), others: [viewOf("us")] };
    expect(withImages(state, FLAT)).toBe(state);
  });
});

it("is found again after the page was closed", () => {
  const { proposal } = OPENING;
  const kept = { ...EMPTY, images: ["us"], layout: "images" };
  expect(proposed(kept, proposal)).toBe(kept);
});
