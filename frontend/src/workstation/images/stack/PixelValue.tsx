import { useEffect, useRef, useState, type RefObject } from "react";

import { ApiError } from "../../../api/client";
import { readFrameValue } from "../../../api/volumes";
import type { FrameValue } from "../../../api/workstation";
import type { Size, Zoom } from "../../../pages/studies/preview/zoom";
import styles from "../images.module.css";
import { newestOnly, pixelAt, valueWords, type Pixel } from "./pixel";

const PAUSE_MS = 100;

/** The picture that is seen. */
export interface Seen {
  instance: string;
  /** From 1. */
  frame: number;
  rows: number;
  columns: number;
  database: string;
}

interface Question extends Pixel {
  of: string;
  seen: Seen;
}

interface PixelValueProps {
  stage: RefObject<HTMLElement | null>;
  zoom: Zoom;
  /** Null: what is seen is another picture than that which is meant. */
  seen: Seen | null;
}

/** The stored value under the pointer, from the service: never what the screen shows. */
export function PixelValue({ stage, zoom, seen }: PixelValueProps) {
  const pointer = usePointer(stage);
  const pixel = pointer && seen && pixelAt(pointer.x, pointer.y, pointer, { width: seen.columns, height: seen.rows }, zoom);
  const of = seen ? [seen.database, seen.instance, seen.frame].join() : "";
  const known = useValueOf(pixel && seen ? { ...pixel, of, seen } : null);
  if (!pixel || known?.question.of !== of) return null;
  const { question, value } = known;
  return <span className={styles.value}>{`${String(question.column)}, ${String(question.row)}: ${valueWords(value)}`}</span>;
}

interface Pointer extends Size {
  x: number;
  y: number;
}

/** Where it is on the stage, from its corner, and how large that is; null: elsewhere. */
function usePointer(stage: RefObject<HTMLElement | null>): Pointer | null {
  const [pointer, setPointer] = useState<Pointer | null>(null);
  useEffect(() => {
    const element = stage.current;
    if (!element) return undefined;
    const move = (event: PointerEvent) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      setPointer({ x: event.clientX - left, y: event.clientY - top, width, height });
    };
    const leave = () => { setPointer(null); };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerleave", leave);
    return () => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerleave", leave);
    };
  }, [stage]);
  return pointer;
}

interface Known {
  question: Question;
  value: FrameValue;
}

/** The last answer. A picture whose values were refused is not asked again. */
function useValueOf(question: Question | null): Known | null {
  const [known, setKnown] = useState<Known | null>(null);
  const [refused, setRefused] = useState("");
  const [ask] = useState(() => newestOnly<Question, FrameValue>(
    ({ seen, column, row }) => readFrameValue(seen.instance, { frame: seen.frame, column, row, database: seen.database }),
    (answered, value, error) => {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) setRefused(answered.of);
      setKnown(value && { question: answered, value });
    },
    PAUSE_MS,
  ));
  const latest = useRef(question);
  useEffect(() => { latest.current = question; });
  const key = question && question.of !== refused ? [question.of, question.column, question.row].join() : "";
  useEffect(() => { ask(key ? latest.current : null); }, [ask, key]);
  useEffect(() => () => { ask(null); }, [ask]);
  return known;
}
