import { Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useRef, useState } from "react";

import type { Place } from "../../../api/studies";
import type { Instance, Series } from "../../../api/types";
import { ErrorBox, useKeys } from "../../../ui";
import { useAttributes } from "../panel/reading";
import { Controls } from "./Controls";
import { around, factsOf, pictureAddress } from "./pictures";
import styles from "./preview.module.css";
import { usePicture } from "./usePicture";
import { useStage } from "./useStage";
import { useCine, useSteps, useWheel } from "./useSteps";
import { formatWindow, presetsOf, type Window } from "./windows";
import { transformOf } from "./zoom";

interface ViewerProps {
  place: Place;
  series: Series;
  instances: Instance[];
  error: unknown;
  at: number;
  onMove: (at: number) => void;
}

/** Attributes are read where somebody stays, not of every picture that is scrolled over. */
const SETTLED_MS = 150;
const NOTHING: never[] = [];

/** One picture of the series at a time: scrolled by the wheel and the keys, played, its window changed. */
export function Viewer({ place, series, instances, error, at, onMove }: ViewerProps) {
  const instance = instances[at];
  const [window_, setWindow] = useState<Window | null>(null);
  const [frame, setFrame] = useState(1);
  const [isPlaying, setPlaying] = useState(false);
  const [ahead, setAhead] = useState<1 | -1>(1);
  const stage = useRef<HTMLDivElement>(null);
  const [asked] = useDebouncedValue(instance?.SOPInstanceUID, SETTLED_MS);
  const attributes = useAttributes({ ...place, instance: asked });
  const facts = useFacts(attributes.data);

  const isOfFrames = (facts?.frames ?? 1) > 1 && asked === instance?.SOPInstanceUID;
  const count = isOfFrames ? (facts?.frames ?? 1) : instances.length;
  const now = isOfFrames ? Math.min(frame, count) - 1 : at;
  const addressAt = (place_: number) => {
    const one = isOfFrames ? instance : instances[place_];
    return one?.thumbnail ? pictureAddress(one.thumbnail, place_ + 1, facts, window_) : "";
  };
  const address = facts || attributes.isError ? addressAt(now) : "";
  const picture = usePicture(address, around(now, count, ahead).map(addressAt).filter(Boolean));

  const goTo = (to: number) => {
    const target = Math.min(Math.max(to, 0), Math.max(count - 1, 0));
    if (target !== now) {
      setAhead(target > now ? 1 : -1);
      if (isOfFrames) setFrame(target + 1);
      else onMove(target);
    }
    return target;
  };
  const goToInstance = (to: number) => {
    if (to < 0 || to >= instances.length) return;
    setFrame(1);
    onMove(to);
  };
  const step = useSteps(now, goTo);
  useWheel(stage, step);
  useCine(isPlaying, facts?.frames_per_s ?? 12, picture.address === address, () => { goTo(now + 1 < count ? now + 1 : 0); });

  const shownWindow = window_ ?? facts?.window ?? null;
  const { zoom, reset, zoomBy, pointer } = useStage(stage, shownWindow, facts?.isGrey ? setWindow : null);
  const presets = facts?.isGrey ? presetsOf(series.Modality) : NOTHING;
  const key = (keys: string, label: string, run: () => void) => ({ keys, label, run, group: "Preview", inDialog: true });
  useKeys([
    key("ArrowDown", "Next picture", () => { step(1); }),
    key("ArrowUp", "Picture before", () => { step(-1); }),
    key("ArrowRight", "Next instance", () => { goToInstance(at + 1); }),
    key("ArrowLeft", "Instance before", () => { goToInstance(at - 1); }),
    key("PageDown", "Ten on", () => { step(10); }),
    key("PageUp", "Ten back", () => { step(-10); }),
    key("Home", "First picture", () => { goTo(0); }),
    key("End", "Last picture", () => { goTo(count - 1); }),
    key("+", "Larger", () => { zoomBy(1.25); }),
    key("-", "Smaller", () => { zoomBy(0.8); }),
    key("f", "All of the picture", reset),
    key(" ", "Play or stop", () => { setPlaying(!isPlaying); }),
    ...presets.map(({ name, window }, number) => key(String(number), name, () => { setWindow(window); })),
  ]);

  return (
    <div className={styles.viewer}>
      <div ref={stage} className={styles.stage} data-windowing={facts?.isGrey || undefined} {...pointer}>
        {error !== null && <ErrorBox error={error} />}
        {picture.image && <img className={styles.picture} style={{ transform: transformOf(zoom) }} src={picture.image.src} alt="" draggable={false} />}
        {picture.isFailed && <NoPicture instance={instance} />}
        {picture.address !== address && !picture.isFailed && <Loader className={styles.busy} size={18} />}
        <div className={styles.corner} data-corner="top-left">
          <b>{series.SeriesDescription}</b>
          <span>
            {series.Modality} {series.SeriesNumber && `series ${series.SeriesNumber}`}
          </span>
        </div>
        <div className={styles.corner} data-corner="bottom-left">
          <span>
            {isOfFrames ? `Frame ${String(now + 1)} of ${String(count)}` : `${String(at + 1)} of ${String(instances.length)}`}
          </span>
          {isOfFrames && instances.length > 1 && (
            <span>
              Instance {at + 1} of {instances.length}
            </span>
          )}
        </div>
        <div className={styles.corner} data-corner="bottom-right">
          {zoom.scale > 1 && <span>{zoom.scale.toFixed(1)} ×</span>}
          {facts?.isGrey && shownWindow && <span>{formatWindow(shownWindow)}</span>}
        </div>
      </div>
      <Controls
        {...{ count, now, isPlaying, presets }}
        window={window_}
        isZoomed={zoom.scale > 1}
        onWhole={reset}
        onMove={(to) => { goTo(to); }}
        onPlay={() => { setPlaying(!isPlaying); }}
        onWindow={setWindow}
      />
    </div>
  );
}

/** The last facts stay while those of the next object are read: pictures of a series are alike. */
function useFacts(attributes: Parameters<typeof factsOf>[0] | undefined) {
  const [known, setKnown] = useState<{ of: typeof attributes; facts: ReturnType<typeof factsOf> } | null>(null);
  if (attributes && known?.of !== attributes) {
    const facts = factsOf(attributes);
    setKnown({ of: attributes, facts });
    return facts;
  }
  return known?.facts ?? null;
}

function NoPicture({ instance }: { instance: Instance | undefined }) {
  return (
    <div className={styles.none}>
      <b>No picture can be made of this object.</b>
      <span>{instance && `${instance.sop_class_name}, ${instance.transfer_syntax_name}`}</span>
    </div>
  );
}
