import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useRef, useState } from "react";

import { around } from "../../../pages/studies/preview/pictures";
import { useSteps, useWheel } from "../../../pages/studies/preview/useSteps";
import { usePicture } from "../../../pages/studies/preview/usePicture";
import { formatWindow, presetsOf, type Preset } from "../../../pages/studies/preview/windows";
import { ErrorBox } from "../../../ui";
import { useWorkspace } from "../../model/store";
import styles from "../images.module.css";
import { toggleAlone, useLooking, type Placed } from "../model";
import { pixelSizeOf, sidesOf, viewWords } from "./imageGeometry";
import { Picture } from "./Picture";
import { PixelValue, type Seen } from "./PixelValue";
import { StackControls } from "./StackControls";
import { StackMarks } from "./StackMarks";
import { useFilm } from "./useFilm";
import { useStack, type Stack } from "./useStack";
import { useStackKeys } from "./useStackKeys";
import { useTouch } from "./useTouch";
import { useImageWindow } from "./useImageWindow";

/** Screens show no more. */
const MOST_PER_S = 60;
const NO_PRESETS: readonly Preset[] = [];

/** One picture of a series at a time: scrolled, played, zoomed, its window changed. */
export function StackTile({ placed: { series, study }, isActive }: { placed: Placed; isActive: boolean }) {
  const database = useWorkspace((state) => state.database);
  const wanted = useLooking((state) => state.wanted[series.SeriesInstanceUID]);
  const place = { study: study.StudyInstanceUID, series: series.SeriesInstanceUID, database };
  const stack = useStack(place, wanted);
  const { facts, count, now, goTo } = stack;
  const [ahead, setAhead] = useState<1 | -1>(1);
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { ref: sized, width, height } = useElementSize<HTMLDivElement>();
  const both = useMergedRef(stage, sized);

  const { window, asked, setWindow, settle } = useImageWindow(facts);
  const { zoom, reset, zoomBy, pointer } = useTouch(stage, window, facts?.isGrey ? setWindow : null);
  const isWhole = zoom.scale > 1.5;
  const addressOf = (there: number) => stack.addressOf(there, asked, isWhole);
  // What plays is drawn by the film.
  const address = isPlaying ? "" : addressOf(now);
  const picture = usePicture(address, around(now, count, ahead).map(addressOf).filter(Boolean));
  const isThere = isPlaying || picture.address === address;
  settle(isThere || picture.isFailed);

  const move = (to: number) => {
    if (to !== now) setAhead(to > now ? 1 : -1);
    return goTo(to);
  };
  const scroll = (to: number) => {
    setPlaying(false);
    return move(to);
  };
  const step = useSteps(now, scroll);
  useWheel(stage, step);
  const rate = Math.min((facts?.frames_per_s ?? 12) * speed, MOST_PER_S);
  const of = [stack.isOfFrames ? stack.instance?.SOPInstanceUID : "", asked && formatWindow(asked), isWhole].join();
  const reached = useFilm(canvas, { isPlaying, of, count, now, frames_per_s: rate, addressOf, goTo });

  const presets = facts?.isGrey ? presetsOf(series.Modality) : NO_PRESETS;
  const play = () => { if (count > 1) setPlaying(!isPlaying); };
  // As in the planes: one pane alone, and all of them.
  const onDoubleClick = () => {
    if (zoom.scale > 1) reset();
    else toggleAlone(series.SeriesInstanceUID);
  };
  useStackKeys(isActive, { step, goTo: scroll, last: count - 1, goToInstance: (by) => { stack.goToInstance(stack.at + by); }, play, setSpeed, zoomBy, reset });

  const [rows, columns] = [facts?.rows ?? 0, facts?.columns ?? 0];
  const fit = rows && columns ? Math.min(width / columns, height / rows) : 0;
  const size = pixelSizeOf(stack.attributes);
  return (
    <div className={styles.stack}>
      <div ref={both} className={styles.stage} data-windowing={facts?.isGrey || undefined} {...pointer} onDoubleClick={onDoubleClick}>
        {stack.error !== null && <ErrorBox error={stack.error} />}
        <Picture canvas={canvas} image={picture.image} zoom={zoom} />
        {picture.isFailed && <NoPicture stack={stack} />}
        <StackMarks
          isBusy={!isThere && !picture.isFailed}
          sides={sidesOf(stack.attributes)}
          view={viewWords(stack.attributes)}
          pixel={size && fit ? { at: size.at, mm: size.mm / (fit * zoom.scale) } : null}
          width={width}
          place={stack.isOfFrames ? `Frame ${String(now + 1)} of ${String(count)}` : `${String(now + 1)} of ${String(count)}`}
          clip={stack.isOfFrames && stack.instances.length > 1 ? `Clip ${String(stack.at + 1)} of ${String(stack.instances.length)}` : ""}
          zoom={zoom.scale}
          window={facts?.isGrey && window ? formatWindow(window) : ""}
          rate={reached}
        >
          <PixelValue stage={stage} zoom={zoom} seen={isThere && !isPlaying && picture.image ? seenOf(stack, database) : null} />
        </StackMarks>
      </div>
      <StackControls
        {...{ count, now, isPlaying, speed, presets, rate }}
        window={window}
        isZoomed={zoom.scale > 1}
        clips={stack.isOfFrames ? { count: stack.instances.length, at: stack.at, goTo: stack.goToInstance } : null}
        onWhole={reset}
        onMove={scroll}
        onPlay={play}
        onSpeed={setSpeed}
        onWindow={setWindow}
      />
    </div>
  );
}

function seenOf({ instance, facts, isKnown, isOfFrames, now }: Stack, database: string): Seen | null {
  if (!instance || !facts || !isKnown) return null;
  return { instance: instance.SOPInstanceUID, frame: isOfFrames ? now + 1 : 1, rows: facts.rows, columns: facts.columns, database };
}

const PIXELS = ["PixelData", "FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL"];

function NoPicture({ stack: { instance, attributes } }: { stack: Stack }) {
  const hasPixels = attributes.length === 0 || attributes.some(({ keyword }) => PIXELS.includes(keyword));
  return (
    <div className={styles.none}>
      <b>No picture can be made of this object.</b>
      {!hasPixels && <span>It was stored without its pixels (Pixel Data is missing): send it again from where it was made.</span>}
      {instance && <span>{`${instance.sop_class_name}, ${instance.transfer_syntax_name}`}</span>}
    </div>
  );
}
