import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Attribute } from "../../../api/types";
import { playFilm } from "./film";
import { faster, rateOf } from "./frames";
import { lettersOf, pixelSizeOf, scaleOf, sidesOf, viewWords } from "./imageGeometry";

const attributes = (values: Record<string, string>): Attribute[] =>
  Object.entries(values).map(([keyword, value]) => ({ tag: "", keyword, name: keyword, vr: "", value, depth: 0, item: "" }) as Attribute);

describe("the sides of an image", () => {
  it("follow from its plane", () => {
    expect(sidesOf(attributes({ ImageOrientationPatient: "1 \\ 0 \\ 0 \\ 0 \\ 1 \\ 0" }))).toEqual({ right: "L", left: "R", bottom: "P", top: "A" });
    expect(sidesOf(attributes({ ImageOrientationPatient: "0\\1\\0\\0\\0\\-1" }))).toEqual({ right: "P", left: "A", bottom: "F", top: "H" });
    expect(lettersOf([0.8, -0.6, 0.1])).toBe("LA");
  });

  it("follow from letters where there is no plane", () => {
    expect(sidesOf(attributes({ PatientOrientation: "L\\F" }))).toEqual({ right: "L", left: "R", bottom: "F", top: "H" });
    expect(sidesOf(attributes({ PatientOrientation: "A\\FR" }))).toEqual({ right: "A", left: "P", bottom: "FR", top: "HL" });
  });

  it("are not guessed", () => {
    expect(sidesOf([])).toEqual({ right: "", left: "", bottom: "", top: "" });
  });
});

describe("the size of a pixel", () => {
  it("is that in the patient before that at the detector, and says which", () => {
    expect(pixelSizeOf(attributes({ ImagerPixelSpacing: "0.2\\0.1", PixelSpacing: "0.5\\0.4" }))).toEqual({ mm: 0.4, at: "" });
    expect(pixelSizeOf(attributes({ ImagerPixelSpacing: "0.2\\0.1" }))).toEqual({ mm: 0.1, at: "at the detector" });
  });

  it("is told of ultrasound with one region in cm, and of no other", () => {
    const region = attributes({ PhysicalUnitsXDirection: "3", PhysicalDeltaX: "0.02" });
    expect(pixelSizeOf(region)).toEqual({ mm: 0.2, at: "" });
    expect(pixelSizeOf([...region, ...region])).toBeNull();
    expect(pixelSizeOf(attributes({ PhysicalUnitsXDirection: "4", PhysicalDeltaX: "0.02" }))).toBeNull();
  });

  it("makes a scale bar of a round length", () => {
    expect(scaleOf(0.5, 250)).toEqual({ mm: 100, pixels: 200 });
    expect(scaleOf(0.1, 90)).toEqual({ mm: 5, pixels: 50 });
    expect(scaleOf(0, 90)).toBeNull();
  });
});

it("says which view a mammogram is", () => {
  expect(viewWords(attributes({ ImageLaterality: "R", ViewPosition: "MLO" }))).toBe("R MLO");
});

it("knows the rates that one can choose, and the one that is reached", () => {
  expect([faster(1, 1), faster(4, 1), faster(0.25, -1)]).toEqual([1.5, 4, 0.25]);
  expect([rateOf([0, 50, 100]), rateOf([7]), rateOf([])]).toEqual([20, 0, 0]);
});

describe("a film", () => {
  let [tick, now]: [(at: number) => void, number] = [() => undefined, 0];
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    vi.stubGlobal("requestAnimationFrame", (next: (at: number) => void) => { tick = next; return 1; });
    vi.stubGlobal("cancelAnimationFrame", () => undefined);
  });
  afterEach(() => { vi.unstubAllGlobals(); });

  async function run(ms: number): Promise<void> {
    for (const end = now + ms; now < end; now += 10) {
      tick(now);
      await Promise.resolve();
      await Promise.resolve();
    }
  }

  const picture = (place: number) => ({ place }) as unknown as HTMLImageElement;

  it("plays at its rate in a loop, and reads each picture once", async () => {
    const [drawn, read] = [[] as number[], [] as number[]];
    const stop = playFilm({
      count: 4, from: 2, frames_per_s: 20,
      read: (place) => { read.push(place); return Promise.resolve(picture(place)); },
      draw: (image) => { drawn.push((image as unknown as { place: number }).place); },
      tell: () => undefined,
    });
    await run(500);
    stop();
    expect(drawn.slice(0, 6)).toEqual([3, 0, 1, 2, 3, 0]);
    expect(drawn.length).toBeGreaterThanOrEqual(9);
    expect(drawn.length).toBeLessThanOrEqual(11);
    expect([...read].sort()).toEqual([0, 1, 2, 3]);
  });

  it("waits for a picture that is late, passes over one that fails, and tells where it stopped", async () => {
    const drawn: number[] = [];
    let come: (image: HTMLImageElement) => void = () => undefined;
    const told: number[] = [];
    const stop = playFilm({
      count: 4, from: 0, frames_per_s: 50,
      read: (place) => {
        if (place === 1) return Promise.reject(new Error("damaged"));
        return place === 3 ? new Promise((resolve) => { come = resolve; }) : Promise.resolve(picture(place));
      },
      draw: (image) => { drawn.push((image as unknown as { place: number }).place); },
      tell: (at) => { told.push(at); },
    });
    await run(300);
    expect(drawn).toEqual([2]);
    come(picture(3));
    await run(30);
    stop();
    expect(drawn.slice(0, 2)).toEqual([2, 3]);
    expect(told.at(-1)).toBeGreaterThanOrEqual(0);
  });
});
