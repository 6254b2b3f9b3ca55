import { useLayoutEffect, type RefObject } from "react";

import { transformOf, type Zoom } from "../../../pages/studies/preview/zoom";
import styles from "../images.module.css";

/** Without transparency: a third less for the machine to do for each frame. */
export function drawOn(canvas: HTMLCanvasElement | null, image: HTMLImageElement): void {
  const card = canvas?.getContext("2d", { alpha: false });
  if (!canvas || !card) return;
  const { naturalWidth, naturalHeight } = image;
  if (canvas.width !== naturalWidth || canvas.height !== naturalHeight) {
    canvas.width = naturalWidth;
    canvas.height = naturalHeight;
  }
  card.drawImage(image, 0, 0);
}

interface PictureProps {
  canvas: RefObject<HTMLCanvasElement | null>;
  image: HTMLImageElement | null;
  zoom: Zoom;
}

/** The picture, drawn when it is decoded: an <img> whose address changes would decode once more. */
export function Picture({ canvas, image, zoom }: PictureProps) {
  useLayoutEffect(() => {
    if (image) drawOn(canvas.current, image);
  }, [canvas, image]);
  return <canvas ref={canvas} className={styles.picture} data-empty={!image || undefined} style={{ transform: transformOf(zoom) }} />;
}
