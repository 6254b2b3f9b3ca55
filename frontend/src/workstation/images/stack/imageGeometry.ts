/** What an image says of its sides and sizes. */
import type { Attribute } from "../../../api/types";
import { topValue } from "../../../pages/studies/panel/attributes";

/** Letters at the four sides; "" where nobody knows. */
export interface Sides {
  top: string;
  bottom: string;
  left: string;
  right: string;
}

const OPPOSITE: Record<string, string | undefined> = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };
const UNKNOWN: Sides = { top: "", bottom: "", left: "", right: "" };

/** PS3.3 C.7.6.1.1.1: letters for feet and head, and of quadrupeds; only those that we can turn round. */
function opposite(letters: string): string {
  return [...letters].map((letter) => OPPOSITE[letter] ?? "").join("");
}

function valuesOf(attributes: readonly Attribute[], keyword: string): string[] {
  return topValue(attributes, keyword).split("\\").map((each) => each.trim());
}

function numbersOf(attributes: readonly Attribute[], keyword: string): number[] {
  return valuesOf(attributes, keyword).map(Number.parseFloat).filter(Number.isFinite);
}

/** The letters of a direction in LPS, the longest part first; parts below a fifth are not told. */
export function lettersOf([x = 0, y = 0, z = 0]: readonly number[]): string {
  const parts: [number, string][] = [
    [Math.abs(x), x > 0 ? "L" : "R"],
    [Math.abs(y), y > 0 ? "P" : "A"],
    [Math.abs(z), z > 0 ? "H" : "F"],
  ];
  return parts.filter(([size]) => size > 0.2).sort(([one], [other]) => other - one).map(([, letter]) => letter).join("");
}

/** Which side is which: from the plane's directions, else from the letters that the object names. */
export function sidesOf(attributes: readonly Attribute[]): Sides {
  const cosines = numbersOf(attributes, "ImageOrientationPatient");
  const named = valuesOf(attributes, "PatientOrientation");
  const isPlane = cosines.length === 6 && cosines.some((each) => each !== 0);
  const right = isPlane ? lettersOf(cosines.slice(0, 3)) : (named[0] ?? "");
  const bottom = isPlane ? lettersOf(cosines.slice(3)) : (named[1] ?? "");
  if (!right && !bottom) return UNKNOWN;
  return { right, bottom, left: opposite(right), top: opposite(bottom) };
}

export interface PixelSize {
  mm: number;
  /** Where it holds: "" in the patient. */
  at: string;
}

const CM = "3";

/** How wide a pixel is, in mm; null where nothing can be measured by it. */
export function pixelSizeOf(attributes: readonly Attribute[]): PixelSize | null {
  for (const [keyword, at] of [
    ["PixelSpacing", ""],
    ["NominalScannedPixelSpacing", "on the film"],
    ["ImagerPixelSpacing", "at the detector"],
  ] as const) {
    // Rows first: the second is the distance of columns (PS3.3 10.7.1.3).
    const [rows, columns] = numbersOf(attributes, keyword);
    if (rows && columns && rows > 0 && columns > 0) return { mm: columns, at };
  }
  // Of several regions each has its own scale.
  const scales = attributes.filter((each) => each.keyword === "PhysicalDeltaX");
  const units = attributes.filter((each) => each.keyword === "PhysicalUnitsXDirection");
  const cm = Math.abs(Number.parseFloat(scales[0]?.value ?? ""));
  return scales.length === 1 && units[0]?.value.trim() === CM && cm > 0 ? { mm: 10 * cm, at: "" } : null;
}

/** "R MLO": of mammograms and other projections. */
export function viewWords(attributes: readonly Attribute[]): string {
  const side = topValue(attributes, "ImageLaterality") || topValue(attributes, "Laterality");
  return [side, topValue(attributes, "ViewPosition")].map((each) => each.trim()).filter(Boolean).join(" ");
}

export interface Scale {
  mm: number;
  pixels: number;
}

/** The longest round length that fits a third of the stage. */
export function scaleOf(mmPerPixel: number, most_px: number): Scale | null {
  const most_mm = mmPerPixel * most_px;
  if (!(most_mm > 0) || !Number.isFinite(most_mm)) return null;
  const power = 10 ** Math.floor(Math.log10(most_mm));
  const mm = ([5, 2, 1].find((step) => step * power <= most_mm) ?? 1) * power;
  return { mm, pixels: mm / mmPerPixel };
}
