import { Loader } from "@mantine/core";
import type { ReactNode } from "react";

import styles from "../images.module.css";
import { scaleOf, type PixelSize, type Sides } from "./imageGeometry";

interface StackMarksProps {
  sides: Sides;
  view: string;
  /** On the screen. */
  pixel: PixelSize | null;
  /** Of the stage. */
  width: number;
  place: string;
  clip: string;
  zoom: number;
  window: string;
  /** Pictures a second that were reached; 0: it does not play. */
  rate: number;
  isBusy: boolean;
  /** Above where one is. */
  children?: ReactNode;
}

const NAMES = ["top", "bottom", "left", "right"] as const;

/** What is always visible: which side is which, where and how large; what it is stands above. */
export function StackMarks({ sides, view, pixel, width, place, clip, zoom, window, rate, isBusy, children }: StackMarksProps) {
  const scale = pixel && scaleOf(pixel.mm, width / 3);
  return (
    <>
      {view && <b className={styles.corner} data-corner="top-left">{view}</b>}
      <div className={styles.corner} data-corner="bottom-left">
        {children}
        {clip && <span>{clip}</span>}
        <span>{place}</span>
      </div>
      <div className={styles.corner} data-corner="bottom-right">
        {rate > 0 && <span>{rate.toFixed(0)} frames/s</span>}
        {zoom > 1 && <span>{zoom.toFixed(1)} ×</span>}
        {window && <span>{window}</span>}
        {scale && (
          <span className={styles.scale}>
            {scale.mm >= 10 ? `${String(scale.mm / 10)} cm` : `${String(scale.mm)} mm`} {pixel.at}
            <i style={{ width: scale.pixels }} />
          </span>
        )}
      </div>
      {NAMES.map((side) => sides[side] && <b key={side} className={styles.side} data-side={side}>{sides[side]}</b>)}
      {isBusy && <Loader className={styles.busy} size={16} aria-label="Being read" />}
    </>
  );
}
