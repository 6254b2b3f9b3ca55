import { ActionIcon, Button, Slider, Tooltip } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";

import styles from "./preview.module.css";
import type { Preset, Window } from "./windows";

interface ControlsProps {
  count: number;
  now: number;
  isPlaying: boolean;
  presets: readonly Preset[];
  window: Window | null;
  isZoomed: boolean;
  /** Show all of the picture. */
  onWhole: () => void;
  onMove: (to: number) => void;
  onPlay: () => void;
  onWindow: (window: Window | null) => void;
}

function isSame(one: Window | null, other: Window | null): boolean {
  return one?.center === other?.center && one?.width === other?.width;
}

export function Controls(props: ControlsProps) {
  const { count, now, isPlaying, presets, window, isZoomed, onWhole, onMove, onPlay, onWindow } = props;
  return (
    <footer className={styles.controls}>
      {count > 1 && (
        <>
          <Tooltip label={isPlaying ? "Stop (space)" : "Play (space)"}>
            <ActionIcon aria-label={isPlaying ? "Stop" : "Play"} onClick={onPlay} size={30} variant="default">
              {isPlaying ? <IconPlayerPause size={16} /> : <IconPlayerPlay size={16} />}
            </ActionIcon>
          </Tooltip>
          <Slider
            className={styles.slider}
            min={0}
            max={count - 1}
            value={now}
            onChange={onMove}
            label={(value) => String(value + 1)}
            thumbLabel="Picture"
            size="sm"
          />
        </>
      )}
      <div className={styles.presets}>
        <Tooltip label="All of the picture (f, double click). Right drag or Ctrl and wheel zooms, middle drag moves">
          <Button size="compact-sm" variant="default" disabled={!isZoomed} onClick={onWhole}>
            Fit
          </Button>
        </Tooltip>
        {presets.map((preset, number) => (
          <Tooltip key={preset.name} label={`Key ${String(number)}`}>
            <Button
              size="compact-sm"
              variant={isSame(preset.window, window) ? "light" : "default"}
              aria-pressed={isSame(preset.window, window)}
              onClick={() => { onWindow(preset.window); }}
            >
              {preset.name}
            </Button>
          </Tooltip>
        ))}
      </div>
    </footer>
  );
}
