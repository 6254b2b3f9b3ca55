import { useEffect, useRef, useState, type RefObject } from "react";

import { PictureCache } from "../../../pages/studies/preview/usePicture";
import { playFilm } from "./film";
import { drawOn } from "./Picture";

interface Film {
  isPlaying: boolean;
  /** What is played: another one begins anew. */
  of: string;
  count: number;
  now: number;
  frames_per_s: number;
  addressOf: (place: number) => string;
  goTo: (place: number) => void;
}

/** Plays onto a canvas; answers the pictures a second that are reached, 0 while it stands. */
export function useFilm(canvas: RefObject<HTMLCanvasElement | null>, film: Film): number {
  const [cache] = useState(() => new PictureCache());
  const [reached, setReached] = useState(0);
  const latest = useRef(film);
  useEffect(() => {
    latest.current = film;
  });
  const { isPlaying, of, count, frames_per_s } = film;
  useEffect(() => {
    if (!isPlaying || count < 2) return undefined;
    return playFilm({
      count,
      frames_per_s,
      from: latest.current.now,
      read: (place) => cache.get(latest.current.addressOf(place)),
      draw: (image) => { drawOn(canvas.current, image); },
      tell: (at, rate) => {
        latest.current.goTo(at);
        setReached(rate);
      },
    });
  }, [isPlaying, of, count, frames_per_s, cache, canvas]);
  return reached;
}
