import { ActionIcon, Button, Select, Slider, Tooltip } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";

import type { Preset, Window } from "../../../pages/studies/preview/windows";
import styles from "../images.module.css";
import { SPEEDS } from "./frames";

interface StackControlsProps {
  count: number;
  now: number;
  isPlaying: boolean;
  speed: number;
  /** Pictures a second that are wanted. */
  rate: number;
  presets: readonly Preset[];
  window: Window | null;
  isZoomed: boolean;
  /** Instances with frames of their own. */
  clips: { count: number; at: number; goTo: (to: number) => void } | null;
  onWhole: () => void;
  onMove: (to: number) => void;
  onPlay: () => void;
  onSpeed: (speed: number) => void;
  onWindow: (window: Window | null) => void;
}

/** The row below the picture. */
export function StackControls(props: StackControlsProps) {
  const { presets, window, isZoomed, clips, onWhole, onWindow } = props;
  return (
    <div className={styles.controls}>
      {clips && clips.count > 1 && <Clips {...clips} />}
      {props.count > 1 && <Cine {...props} />}
      <span className={styles.grow} />
      <Tooltip label="All of the picture (double click)">
        <Button size="compact-xs" variant="default" disabled={!isZoomed} onClick={onWhole}>Fit</Button>
      </Tooltip>
      {presets.map((preset) => (
        <Button
          key={preset.name} size="compact-xs" aria-pressed={isSame(preset.window, window)}
          variant={isSame(preset.window, window) ? "light" : "default"} onClick={() => { onWindow(preset.window); }}
        >
          {preset.name}
        </Button>
      ))}
    </div>
  );
}

function isSame(one: Window | null, other: Window | null): boolean {
  return one !== null && one.center === other?.center && one.width === other.width;
}

function Clips({ count, at, goTo }: NonNullable<StackControlsProps["clips"]>) {
  return (
    <span className={styles.clips}>
      <ActionIcon size={24} variant="default" aria-label="The clip before" disabled={at === 0} onClick={() => { goTo(at - 1); }}><IconChevronLeft size={14} /></ActionIcon>
      <span>{at + 1}/{count}</span>
      <ActionIcon size={24} variant="default" aria-label="The next clip" disabled={at + 1 >= count} onClick={() => { goTo(at + 1); }}><IconChevronRight size={14} /></ActionIcon>
    </span>
  );
}

function Cine({ count, now, isPlaying, speed, rate, onMove, onPlay, onSpeed }: StackControlsProps) {
  return (
    <>
      <Tooltip label={isPlaying ? "Stop (space)" : "Play (space)"}>
        <ActionIcon size={24} variant="default" aria-label={isPlaying ? "Stop" : "Play"} onClick={onPlay}>
          {isPlaying ? <IconPlayerPause size={14} /> : <IconPlayerPlay size={14} />}
        </ActionIcon>
      </Tooltip>
      <Slider
        className={styles.slider} size="sm" min={0} max={count - 1} value={now} thumbLabel="Picture"
        label={(value) => String(value + 1)} onChange={onMove}
      />
      <Tooltip label={`${rate.toFixed(rate < 10 ? 1 : 0)} pictures a second (, slower, . faster)`}>
        <Select
          size="xs" w={68} aria-label="Speed" value={String(speed)} allowDeselect={false} comboboxProps={{ position: "top" }}
          data={SPEEDS.map((each) => ({ value: String(each), label: `${String(each)} ×` }))}
          onChange={(next) => { if (next) onSpeed(Number(next)); }}
        />
      </Tooltip>
    </>
  );
}
