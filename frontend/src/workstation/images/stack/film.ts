/** Playing, beside React: whole pages are not drawn anew for each frame. */
import { rateOf } from "./frames";

export interface FilmWish {
  count: number;
  /** From 0. */
  from: number;
  frames_per_s: number;
  /** Read and decode a picture. */
  read: (place: number) => Promise<HTMLImageElement>;
  draw: (image: HTMLImageElement) => void;
  /** Where it is and how fast it gets on, now and then. */
  tell: (at: number, reached: number) => void;
}

/** So many are read before they are due. */
const AHEAD = 16;
/** So many decoded pictures are held: a loop is read once. */
const HELD = 240;
const TOLD_MS = 250;
const COUNTED = 30;

/** Plays in a loop until the answer is called. A slow line plays slower; what cannot be shown is passed over. */
export function playFilm({ count, from, frames_per_s, read, draw, tell }: FilmWish): () => void {
  const held = new Map<number, HTMLImageElement | null>();
  const asked = new Set<number>();
  let [at, due, told, handle, isOver] = [from, performance.now(), 0, 0, false];
  let shown: number[] = [];

  const askFor = (place: number) => {
    if (asked.has(place)) return;
    asked.add(place);
    read(place).then((image) => { held.set(place, image); }, () => { held.set(place, null); });
  };
  const readAhead = () => {
    for (let step = 1; step <= Math.min(AHEAD, count - 1); step++) askFor((at + step) % count);
    for (const place of held.keys()) {
      if (held.size <= HELD) break;
      held.delete(place);
      asked.delete(place);
    }
  };
  const show = (now: number) => {
    const next = (at + 1) % count;
    const image = held.get(next);
    if (image === undefined) return;
    if (image) draw(image);
    at = next;
    // Late by more than a picture: the rest is not made up for.
    due = Math.max(due + 1000 / frames_per_s, now - 1000 / frames_per_s);
    shown = [...shown, now].slice(-COUNTED);
  };
  const tick = (now: number) => {
    if (isOver) return;
    if (now >= due) show(now);
    readAhead();
    if (now - told >= TOLD_MS) {
      told = now;
      tell(at, rateOf(shown));
    }
    handle = requestAnimationFrame(tick);
  };
  handle = requestAnimationFrame(tick);
  return () => {
    isOver = true;
    cancelAnimationFrame(handle);
    tell(at, 0);
  };
}
