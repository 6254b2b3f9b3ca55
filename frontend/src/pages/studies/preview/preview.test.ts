import { describe, expect, it } from "vitest";

import type { Attribute } from "../../../api/types";
import { around, factsOf, pictureAddress, type ImageFacts } from "./pictures";
import { dragged, formatWindow, presetsOf, windowOf } from "./windows";
import { WHOLE, panned, transformOf, zoomed } from "./zoom";

const FACTS: ImageFacts = { rows: 512, columns: 512, frames: 1, frames_per_s: 12, isGrey: true, window: null };
const THUMBNAIL = "/dicom-web/studies/1/series/2/instances/3/thumbnail?viewport=128,128";

function object(values: Record<string, string>): Attribute[] {
  return Object.entries(values).map(([keyword, value]) => ({ keyword, value }) as Attribute);
}

describe("the address of a picture", () => {
  it("is the instance's own size when the screen can show it", () => {
    expect(pictureAddress(THUMBNAIL, 1, FACTS, null)).toBe("/dicom-web/studies/1/series/2/instances/3/rendered");
  });

  it("is made smaller when it is larger, or when nobody knows", () => {
    const end = "rendered?viewport=1280,1280";
    expect(pictureAddress(THUMBNAIL, 1, { ...FACTS, rows: 3000 }, null)).toContain(end);
    expect(pictureAddress(THUMBNAIL, 1, null, null)).toContain(end);
  });

  it("names the frame of many, also when the thumbnail is one of them", () => {
    const many = { ...FACTS, frames: 10 };
    expect(pictureAddress(THUMBNAIL, 4, many, null)).toContain("/instances/3/frames/4/rendered");
    const ofFrame = THUMBNAIL.replace("/thumbnail", "/frames/5/thumbnail");
    expect(pictureAddress(ofFrame, 4, many, null)).toContain("/instances/3/frames/4/rendered");
  });

  it("has the window for grey values alone", () => {
    const window = { center: 40, width: 400 };
    expect(pictureAddress(THUMBNAIL, 1, FACTS, window)).toContain("?window=40,400,linear");
    expect(pictureAddress(THUMBNAIL, 1, { ...FACTS, isGrey: false }, window)).not.toContain("window");
  });
});

describe("what an object says of its picture", () => {
  it("is read from its attributes", () => {
    const facts = factsOf(
      object({
        Rows: "256",
        Columns: "320",
        NumberOfFrames: "30",
        FrameTime: "40",
        PhotometricInterpretation: "MONOCHROME2",
        WindowCenter: "50 \\ -500",
        WindowWidth: "350 \\ 1500",
      }),
    );
    expect(facts).toEqual({
      rows: 256, columns: 320, frames: 30, frames_per_s: 25, isGrey: true, window: { center: 50, width: 350 },
    });
  });

  it("is one slow enough frame when it says nothing, or nonsense", () => {
    expect(factsOf([])).toMatchObject({ frames: 1, frames_per_s: 12, isGrey: false, window: null });
    expect(factsOf(object({ NumberOfFrames: "-3", FrameTime: "0.0001" }))).toMatchObject({ frames: 1, frames_per_s: 60 });
  });
});

describe("a window", () => {
  it("gets wider to the right and darker downwards", () => {
    expect(dragged({ center: 40, width: 300 }, 10, 20)).toEqual({ center: 60, width: 310 });
  });

  it("never closes", () => {
    expect(dragged({ center: 40, width: 300 }, -5000, 0).width).toBe(1);
  });

  it("is none where the object has none", () => {
    expect(windowOf("", "")).toBeNull();
    expect(windowOf("40", "0")).toBeNull();
  });

  it("has names for CT", () => {
    expect(presetsOf("CT").map((preset) => preset.name)).toContain("Lung");
    expect(presetsOf("MR")).toHaveLength(1);
    expect(formatWindow({ center: -600, width: 1500 })).toBe("C -600  W 1500");
  });
});

describe("pictures to read before they are wanted", () => {
  it("are the next ones in the direction of scrolling, and some behind", () => {
    expect(around(10, 100, 1)).toEqual([11, 9, 12, 8, 13, 14, 15, 16]);
    expect(around(10, 100, -1).slice(0, 3)).toEqual([9, 11, 8]);
  });

  it("are within the series", () => {
    expect(around(0, 2, 1)).toEqual([1]);
  });
});

describe("zoom", () => {
  const stage = { width: 400, height: 200 };

  it("keeps what is under the pointer there", () => {
    // 50 px right of the middle: twice as large it would be at 100.
    expect(zoomed(WHOLE, 2, 50, 0, stage)).toEqual({ scale: 2, x_px: -50, y_px: 0 });
  });

  it("never shows less than the stage, nor beyond the picture", () => {
    expect(zoomed(WHOLE, 0.5, 50, 50, stage)).toEqual(WHOLE);
    expect(panned(WHOLE, 30, 30, stage)).toEqual(WHOLE);
    expect(panned({ scale: 2, x_px: 0, y_px: 0 }, 1000, -1000, stage)).toEqual({ scale: 2, x_px: 200, y_px: -100 });
    expect(zoomed(zoomed(WHOLE, 100, 200, 0, stage), 0.001, 0, 0, stage)).toEqual(WHOLE);
  });

  it("leaves a whole picture to the browser's layout", () => {
    expect(transformOf(WHOLE)).toBeUndefined();
    expect(transformOf({ scale: 2, x_px: 10, y_px: -5 })).toBe("translate(10px, -5px) scale(2)");
  });
});
