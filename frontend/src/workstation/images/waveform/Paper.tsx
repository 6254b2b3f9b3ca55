import { useElementSize } from "@mantine/hooks";
import { useLayoutEffect, useRef, useState, type PointerEvent } from "react";

import type { WaveformGroup } from "../../../api/documents";
import styles from "../images.module.css";
import { MARGIN_MM, TOP_MM, drawSheet } from "./draw";
import { measured, mvOf, type FormatPlan, type Strip } from "./paper";

interface PaperProps {
  group: WaveformGroup;
  values: Float32Array;
  plan: FormatPlan;
  strips: readonly Strip[];
  rows: number;
  page_s: number;
  speed_mm_per_s: number;
  gain_mm_per_mv: number;
}

/** Below this nobody sees a small square: the paper is then wider than its window. */
const LEAST_PX_PER_MM = 2.4;
const MOST_PX_PER_MM = 6;

interface Caliper {
  x: number;
  y: number;
  right: number;
  down: number;
}

/** As large as the window is wide; the grid says how large that is. A drag measures. */
export function Paper({ group, values, plan, strips, rows, page_s, speed_mm_per_s, gain_mm_per_mv }: PaperProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [caliper, setCaliper] = useState<Caliper | null>(null);
  const hasVoltage = mvOf(group.channels[0]?.unit ?? "") !== undefined;
  const width_mm = Math.ceil((MARGIN_MM + page_s * speed_mm_per_s) / 5) * 5;
  const height_mm = Math.ceil((TOP_MM + rows * plan.row_mm) / 5) * 5;
  const px_per_mm = Math.min(Math.max(width / width_mm, LEAST_PX_PER_MM), MOST_PX_PER_MM);

  useLayoutEffect(() => {
    const target = canvas.current;
    const card = target?.getContext("2d");
    if (!target || !card || !width) return;
    const dense = window.devicePixelRatio || 1;
    target.width = Math.round(width_mm * px_per_mm * dense);
    target.height = Math.round(height_mm * px_per_mm * dense);
    drawSheet(card, { group, values, plan, strips, speed_mm_per_s, gain_mm_per_mv, width_mm, height_mm }, px_per_mm * dense);
  }, [group, values, plan, strips, speed_mm_per_s, gain_mm_per_mv, width_mm, height_mm, px_per_mm, width]);

  const pointOf = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  return (
    <div ref={ref} className={styles.paper}>
      <div
        className={styles.sheet}
        style={{ width: width_mm * px_per_mm, height: height_mm * px_per_mm }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setCaliper({ ...pointOf(event), right: 0, down: 0 });
        }}
        onPointerMove={(event) => {
          if (!caliper || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
          const { x, y } = pointOf(event);
          setCaliper({ ...caliper, right: x - caliper.x, down: y - caliper.y });
        }}
        onPointerUp={() => { if (caliper && Math.abs(caliper.right) < 3 && Math.abs(caliper.down) < 3) setCaliper(null); }}
      >
        <canvas ref={canvas} className={styles.canvas} role="img" aria-label={`${group.label || "Waveform"}: ${String(group.channels.length)} channels`} />
        {caliper && <CaliperBox caliper={caliper} words={wordsOf(caliper, px_per_mm, speed_mm_per_s, hasVoltage ? gain_mm_per_mv : null)} />}
      </div>
    </div>
  );
}

/** Without a gain: what is drawn is no voltage, and has a scale of its own. */
function wordsOf({ right, down }: Caliper, px_per_mm: number, speed_mm_per_s: number, gain_mm_per_mv: number | null): string {
  const { ms, per_minute, mv } = measured(right / px_per_mm, -down / px_per_mm, speed_mm_per_s, gain_mm_per_mv ?? 1);
  return `${ms.toFixed(0)} ms (${per_minute.toFixed(0)}/min)${gain_mm_per_mv === null ? "" : `, ${mv.toFixed(2)} mV`}`;
}

function CaliperBox({ caliper: { x, y, right, down }, words }: { caliper: Caliper; words: string }) {
  return (
    <div className={styles.caliper} style={{ left: x + Math.min(right, 0), top: y + Math.min(down, 0), width: Math.abs(right), height: Math.abs(down) }}>
      <span>{words}</span>
    </div>
  );
}
