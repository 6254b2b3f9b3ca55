/** The pixel under the pointer: which it is, what to ask for it, and its value in words. */
import type { Size, Zoom } from "../../../pages/studies/preview/zoom";
import type { FrameValue } from "../../../api/workstation";
import { edge, figure } from "../../model/words";

/** From 0. */
export interface Pixel {
  column: number;
  row: number;
}

/** What lies at a point of the stage (from its corner) on which a picture of so many columns and rows is shown whole, then zoomed. */
export function pixelAt(x_px: number, y_px: number, stage: Size, image: Size, zoom: Zoom): Pixel | null {
  const fit = Math.min(stage.width / image.width, stage.height / image.height) * zoom.scale;
  if (!(fit > 0) || !Number.isFinite(fit)) return null;
  const column = Math.floor((x_px - stage.width / 2 - zoom.x_px) / fit + image.width / 2);
  const row = Math.floor((y_px - stage.height / 2 - zoom.y_px) / fit + image.height / 2);
  return column >= 0 && row >= 0 && column < image.width && row < image.height ? { column, row } : null;
}

export function valueWords({ values, unit, meaning }: FrameValue): string {
  if (meaning === "padding") return "not measured";
  if (meaning === "colour") return `RGB ${values.map((value) => String(value)).join(" ")}`;
  const [value] = values;
  if (value === null || value === undefined) return "no number";
  return `${unit === "HU" ? edge(Math.round(value)) : Number.isInteger(value) ? edge(value) : figure(value)} ${unit}`.trim();
}

/**
 * One question at a time, at most one in `pause_ms`; of those that come meanwhile the newest, and none after null.
 * `tell` is given null for what was refused.
 */
export function newestOnly<Q, A>(
  ask: (question: Q) => Promise<A>, tell: (question: Q, answer: A | null, error: unknown) => void, pause_ms: number,
): (question: Q | null) => void {
  let wanted: Q | null = null;
  let isAsking = false;
  const run = async () => {
    isAsking = true;
    while (wanted !== null) {
      const question = wanted;
      wanted = null;
      const pause = new Promise((resolve) => { setTimeout(resolve, pause_ms); });
      try {
        tell(question, await ask(question), null);
      } catch (error) {
        tell(question, null, error);
      }
      await pause;
    }
    isAsking = false;
  };
  return (question) => {
    wanted = question;
    if (question !== null && !isAsking) void run();
  };
}
