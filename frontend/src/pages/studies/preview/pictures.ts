/** Which picture to ask for, and what an object says of its frames. */
import type { Attribute } from "../../../api/types";
import { topValue } from "../panel/attributes";
import { windowOf, type Window } from "./windows";

export interface ImageFacts {
  rows: number;
  columns: number;
  frames: number;
  frames_per_s: number;
  isGrey: boolean;
  window: Window | null;
}

/** Larger pictures than this show no more on a screen. */
const MOST_PX = 1280;
const USUAL_FRAMES_PER_S = 12;
const FASTEST = 60;

function numberOf(attributes: readonly Attribute[], keyword: string): number {
  const value = Number.parseFloat(topValue(attributes, keyword));
  return Number.isFinite(value) ? value : 0;
}

export function factsOf(attributes: readonly Attribute[]): ImageFacts {
  const frameTime_ms = numberOf(attributes, "FrameTime");
  const wanted =
    numberOf(attributes, "RecommendedDisplayFrameRate") ||
    numberOf(attributes, "CineRate") ||
    (frameTime_ms > 0 ? 1000 / frameTime_ms : 0) ||
    USUAL_FRAMES_PER_S;
  return {
    rows: numberOf(attributes, "Rows"),
    columns: numberOf(attributes, "Columns"),
    frames: Math.max(1, Math.round(numberOf(attributes, "NumberOfFrames"))),
    frames_per_s: Math.min(Math.max(wanted, 1), FASTEST),
    isGrey: topValue(attributes, "PhotometricInterpretation").startsWith("MONOCHROME"),
    window: windowOf(topValue(attributes, "WindowCenter"), topValue(attributes, "WindowWidth")),
  };
}

/** The address of a rendered frame, made of that of the instance's thumbnail. */
export function pictureAddress(
  thumbnail: string, frame: number, facts: ImageFacts | null, window: Window | null, most_px = MOST_PX,
): string {
  const [path = ""] = thumbnail.split("?");
  // The thumbnail may be that of a frame already.
  const instance = path.replace(/(\/frames\/[^/]*)?\/thumbnail$/, "");
  const isOfFrames = (facts?.frames ?? 1) > 1;
  const parameters: string[] = [];
  const side = facts && Math.max(facts.rows, facts.columns);
  // Enlarging is the browser's: it costs no bytes.
  if (!side || side > most_px) parameters.push(`viewport=${String(most_px)},${String(most_px)}`);
  if (window && facts?.isGrey) parameters.push(`window=${String(window.center)},${String(window.width)},linear`);
  const query = parameters.length > 0 ? `?${parameters.join("&")}` : "";
  return `${instance}${isOfFrames ? `/frames/${String(frame)}` : ""}/rendered${query}`;
}

/** Those around a place that will be wanted next, the nearest first and ahead before behind. */
export function around(at: number, count: number, ahead: 1 | -1, reach = 6): number[] {
  const places: number[] = [];
  for (let step = 1; step <= reach; step++) {
    places.push(at + step * ahead);
    if (step <= reach / 3) places.push(at - step * ahead);
  }
  return places.filter((place) => place >= 0 && place < count);
}
