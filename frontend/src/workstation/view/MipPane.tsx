import { useEffect, useMemo, useRef, useState } from "react";

import { ApiError, problemFrom, problemOf } from "../../api/client";
import { rotatingAddress } from "../../api/volumes";
import type { SeriesDisplay, Vector, VolumeFacts } from "../../api/workstation";
import { sentence } from "../../ui/ErrorBox";
import { modalityOf } from "../../ui/modalities";
import { ReasonBar } from "../panels/ReasonBar";
import { viewsOf } from "../model/document";
import { asProposed } from "../model/placing";
import { readAgain } from "../model/reading";
import { useWorkspace } from "../model/store";
import { edge, unitWords } from "../model/words";
import { centreOf } from "./engine/grid";
import { at } from "./engine/vectors";
import { CHANGED } from "./engine/volumes";
import { letterOf, opposite } from "./planes";
import { coloursOf } from "./scenes";
import { useRoom, useTicking } from "./useDrawnPane";
import styles from "./view.module.css";

const EVERY_MS = 120;
const PIXELS_A_FRAME = 8;

interface Pictures {
  id: string;
  values: Float32Array;
}

/** All pictures around, from the service: it has the voxels at hand; or why there are none. */
function usePictures(facts: VolumeFacts | undefined): { pictures: Pictures | null; problem: string } {
  const [pictures, setPictures] = useState<Pictures | null>(null);
  const [problem, setProblem] = useState({ id: "", words: "" });
  useEffect(() => {
    if (!facts?.rotating) return;
    const { doc, database, proposed } = useWorkspace.getState();
    const view = viewsOf(doc).find(({ series }) => series === facts.SeriesInstanceUID);
    if (!view) return;
    const stop = new AbortController();
    const onto = facts.alignment.kind === "base" ? null : (doc.base?.series ?? null);
    fetch(rotatingAddress(asProposed(view, { doc, proposed }), { onto, database }, facts.id), { credentials: "same-origin", signal: stop.signal })
      .then(async (response) => {
        if (response.status === CHANGED) readAgain();
        else if (response.ok) setPictures({ id: facts.id, values: new Float32Array(await response.arrayBuffer()) });
        else throw new ApiError(problemFrom(response.status, response.statusText, await response.text()));
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setProblem({ id: facts.id, words: sentence(problemOf(error).detail) });
      });
    return () => { stop.abort(); };
  }, [facts]);
  const isOfThese = <Of extends { id: string }>(each: Of | null): each is Of => each !== null && each.id === facts?.id;
  return { pictures: isOfThese(pictures) ? pictures : null, problem: isOfThese(problem) ? problem.words : "" };
}

/** One picture through a window, as the planes are: 256 steps. */
export function paint(values: Float32Array, display: SeriesDisplay): ImageData["data"] {
  const table = new Uint32Array(coloursOf(display).slice().buffer);
  const pixels = new Uint32Array(values.length);
  const factor = 256 / (display.high - display.low || 1);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const step = Math.floor((at(values, pixel) - display.low) * factor);
    // What is no number has the colour of the lowest.
    pixels[pixel] = at(table, step > 255 ? 255 : step > 0 ? step : 0);
  }
  return new Uint8ClampedArray(pixels.buffer);
}

function directionOf(frame: number, frames: number): Vector {
  const angle = (2 * Math.PI * frame) / frames;
  return [Math.cos(angle), Math.sin(angle), 0];
}

/** The overlay's maximum intensity projection, turning about the patient's length; drag turns it by hand. */
export function MipPane({ pane }: { pane: string }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useRoom(box);
  const series = useWorkspace((state) => (state.doc.overlay ?? state.doc.base)?.series);
  const facts = useWorkspace((state) => (series === undefined ? undefined : state.facts[series]));
  const display = useWorkspace((state) => (series === undefined ? undefined : state.doc.display[series]));
  const { pictures, problem } = usePictures(facts);
  const [isTurning, setTurning] = useState(() => !window.matchMedia("(prefers-reduced-motion: reduce)").matches);
  const [turned, setTurned] = useState(0);
  const drag = useRef<{ x: number; from: number; hasMoved: boolean } | null>(null);
  const tick = useTicking(isTurning && pictures !== null, EVERY_MS);
  const rotating = facts?.rotating;
  const frames = rotating?.frames ?? 1;
  const frame = (((tick + turned) % frames) + frames) % frames;

  useEffect(() => {
    const element = canvas.current;
    if (!element || !rotating || !pictures || !display) return;
    const { rows, columns } = rotating;
    element.width = columns;
    element.height = rows;
    const values = pictures.values.subarray(frame * rows * columns, (frame + 1) * rows * columns);
    if (values.length < rows * columns) return;
    const picture = new ImageData(columns, rows);
    picture.data.set(paint(values, display));
    element.getContext("2d", { alpha: false })?.putImageData(picture, 0, 0);
  }, [rotating, pictures, display, frame]);

  const size = useMemo(() => {
    if (!rotating || !room.width) return null;
    const [wide, tall] = [rotating.columns * rotating.spacing_mm[0], rotating.rows * rotating.spacing_mm[1]];
    const scale = Math.min(room.width / wide, room.height / tall);
    return { scale, width: wide * scale, height: tall * scale };
  }, [rotating, room]);
  const cursor = useWorkspace((state) => state.doc.cursor_mm);
  const isCrossed = useWorkspace((state) => state.is_crosshair_shown && state.facts[series ?? ""]?.alignment.kind !== "base");
  const right = directionOf(frame, frames);
  const height = facts && cursor && size && isCrossed ? room.height / 2 - (cursor[2] - centreOf(facts)[2]) * size.scale : null;

  return (
    <section className={styles.pane} aria-label="Rotating maximum intensity projection" data-pane={pane}>
      <div
        className={styles.picture}
        ref={box}
        tabIndex={0}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, from: frame - (isTurning ? 0 : tick), hasMoved: false };
        }}
        onPointerMove={(event) => {
          const now = drag.current;
          if (!now || Math.abs(event.clientX - now.x) < PIXELS_A_FRAME / 2) return;
          now.hasMoved = true;
          setTurning(false);
          setTurned(now.from - (isTurning ? tick : 0) + Math.round((event.clientX - now.x) / PIXELS_A_FRAME));
        }}
        onPointerUp={() => {
          // A click stops it, or lets it go on.
          if (drag.current && !drag.current.hasMoved) setTurning((now) => !now);
          drag.current = null;
        }}
        onDoubleClick={() => {
          const { maximised, maximise } = useWorkspace.getState();
          maximise(maximised === pane ? null : pane);
        }}
      >
        <canvas
          className={styles.mip}
          ref={canvas}
          style={size && pictures ? { width: size.width, height: size.height } : { visibility: "hidden" }}
        />
        {rotating && !pictures && (
          <div className={styles.waiting} role={problem ? "alert" : undefined}>{problem || "The service is making the projections …"}</div>
        )}
        {height !== null && (
          <svg className={styles.over} aria-hidden>
            <path className={styles.cross} d={`M0 ${height}H${room.width}`} />
          </svg>
        )}
        <div className={styles.marks}>
          {facts && (
            <div className={styles.series}>
              <div className={styles.line}>
                <b style={{ color: modalityOf(facts.Modality).color }}>{facts.Modality}</b>
                <span className={styles.name}>MIP</span>
                {display && <span className={styles.quiet}>{`${edge(display.low)} – ${edge(display.high)} ${unitWords(facts.unit)}`}</span>}
              </div>
            </div>
          )}
          <b className={styles.left}>{letterOf(opposite(right))}</b>
          <b className={styles.right}>{letterOf(right)}</b>
          <b className={styles.top}>H</b>
          <b className={styles.bottom}>F</b>
        </div>
      </div>
      <ReasonBar series={series} />
    </section>
  );
}
