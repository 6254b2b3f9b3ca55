import { describe, expect, it } from "vitest";

import { modalityOf } from "../ui/modalities";
import { DARK, LIGHT, theme } from "./theme";

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const TEXTS = [
  "--mantine-color-text",
  "--mantine-color-dimmed",
  "--mantine-color-placeholder",
  "--mantine-color-error",
  "--mantine-color-anchor",
  "--rf-good",
  "--rf-warn",
  "--rf-bad",
  "--rf-info",
  "--rf-quiet",
] as const;
const GROUNDS = ["--mantine-color-body", "--rf-rail", "--rf-raised", "--rf-hover"] as const;

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
])("the %s colours", (_name, colors) => {
  it.each(TEXTS)("%s can be read on every ground (WCAG AA)", (text) => {
    for (const ground of GROUNDS) expect(contrast(colors[text] ?? "", colors[ground] ?? ""), ground).toBeGreaterThan(4.5);
  });

  it("can be read on a chosen row", () => {
    for (const text of ["--mantine-color-text", "--rf-good", "--rf-warn", "--rf-bad", "--rf-info"] as const) {
      expect(contrast(colors[text] ?? "", colors["--rf-selected"] ?? ""), text).toBeGreaterThan(4.5);
    }
  });
});

describe("the accent", () => {
  it("carries its text", () => {
    const accent = theme.colors?.accent ?? [];
    expect(contrast(accent[7] ?? "", "#ffffff")).toBeGreaterThan(4.5);
    expect(contrast(accent[5] ?? "", "#000000")).toBeGreaterThan(4.5);
  });
});

describe("modality colours", () => {
  it.each(["CT", "MR", "PT", "NM", "US", "XA", "MG", "DX", "SEG", "REG", "SR", "RTDOSE", "OT"])("of %s can be read in the dark", (code) => {
    expect(contrast(modalityOf(code).color, DARK["--mantine-color-body"] ?? "")).toBeGreaterThan(5.5);
  });
});
