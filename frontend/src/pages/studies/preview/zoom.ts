/** A picture larger than its stage, and which part of it is seen. */

export interface Zoom {
  scale: number;
  /** Where its middle is, from the middle of the stage. */
  x_px: number;
  y_px: number;
}

/** All of it in the stage. */
export const WHOLE: Zoom = { scale: 1, x_px: 0, y_px: 0 };
const LARGEST = 16;

export interface Size {
  width: number;
  height: number;
}

/** So much larger, what lies at a point (from the middle of the stage) staying there. */
export function zoomed(from: Zoom, factor: number, x_px: number, y_px: number, stage: Size): Zoom {
  const scale = Math.min(Math.max(from.scale * factor, 1), LARGEST);
  const by = scale / from.scale;
  return kept({ scale, x_px: x_px - (x_px - from.x_px) * by, y_px: y_px - (y_px - from.y_px) * by }, stage);
}

export function panned(from: Zoom, right_px: number, down_px: number, stage: Size): Zoom {
  return kept({ ...from, x_px: from.x_px + right_px, y_px: from.y_px + down_px }, stage);
}

/** The picture does not leave the stage: its edge comes to the stage's edge and no further. */
function kept({ scale, x_px, y_px }: Zoom, { width, height }: Size): Zoom {
  const within = (at: number, length: number) => {
    const most = (length * (scale - 1)) / 2;
    return Math.min(Math.max(at, -most), most) || 0;
  };
  return { scale, x_px: within(x_px, width), y_px: within(y_px, height) };
}

export function transformOf({ scale, x_px, y_px }: Zoom): string | undefined {
  return scale === 1 ? undefined : `translate(${String(x_px)}px, ${String(y_px)}px) scale(${String(scale)})`;
}
