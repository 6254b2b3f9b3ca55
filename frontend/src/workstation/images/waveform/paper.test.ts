import { describe, expect, it } from "vitest";

import { formatsOf, leadOf, measured, rhythmOf, rowsOf, scaleOf, stripsOf } from "./paper";

const channel = (name: string, unit = "uV") => ({ name, unit, low_hz: null, high_hz: null });
const LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"].map((each) => channel(`Lead ${each}`));
const [rows, standard, six] = formatsOf(12);

describe("twelve leads", () => {
  it("stand below each other over the whole time", () => {
    const strips = stripsOf(rows!, 12, 10, 1);
    expect(strips).toHaveLength(12);
    expect(strips[11]).toEqual({ channel: 11, from_s: 0, seconds: 10, row: 11, column: 0 });
    expect(rowsOf(rows!, 12)).toBe(12);
  });

  it("stand in four columns of 2.5 s each, over lead II", () => {
    const strips = stripsOf(standard!, 12, 10, rhythmOf(LEADS));
    expect(strips[4]).toEqual({ channel: 4, from_s: 2.5, seconds: 2.5, row: 1, column: 1 });
    expect(strips.at(-1)).toEqual({ channel: 1, from_s: 0, seconds: 10, row: 3, column: 0 });
    expect(rowsOf(standard!, 12)).toBe(4);
  });

  it("stand in two columns of 5 s each", () => {
    expect(stripsOf(six!, 12, 10, 1)[6]).toEqual({ channel: 6, from_s: 5, seconds: 5, row: 0, column: 1 });
  });

  it("are formats of nothing else", () => {
    expect(formatsOf(3)).toHaveLength(1);
  });

  it("have short names", () => {
    expect(["Lead I (Einthoven)", "Lead aVR", "Arterial pressure"].map(leadOf)).toEqual(["I", "aVR", "Arterial pressure"]);
  });
});

describe("the scale", () => {
  it("is that which was asked for, whatever unit a voltage is stored in", () => {
    const values = new Float32Array([0, 1]);
    expect(scaleOf(channel("I", "uV"), values, 10, 15).mm_per_unit).toBeCloseTo(0.01);
    expect(scaleOf(channel("I", "mV"), values, 20, 15).mm_per_unit).toBe(20);
  });

  it("fits what is no voltage into its row by a round number, and says it", () => {
    const found = scaleOf(channel("P", "mmHg"), new Float32Array([80, 120, NaN]), 10, 15);
    expect(found).toEqual({ mm_per_unit: 0.2, middle: 100, words: "50 mmHg/cm" });
  });

  it("is read off the paper", () => {
    expect(measured(25, 10, 25, 10)).toEqual({ ms: 1000, per_minute: 60, mv: 1 });
    expect(measured(-20, -5, 50, 20)).toEqual({ ms: 400, per_minute: 150, mv: -0.25 });
  });
});
