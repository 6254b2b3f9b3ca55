/** Paper and traces on a canvas, in mm of the paper. */
import type { WaveformGroup } from "../../../api/documents";
import { leadOf, mvOf, scaleOf, type FormatPlan, type Strip } from "./paper";

export interface Sheet {
  group: WaveformGroup;
  /** Channel after channel, all from one time on. */
  values: Float32Array;
  plan: FormatPlan;
  strips: readonly Strip[];
  speed_mm_per_s: number;
  gain_mm_per_mv: number;
  width_mm: number;
  height_mm: number;
}

/** Room at the left for the names and the pulse of 1 mV. */
export const MARGIN_MM = 20;
/** Above the first row, for what is tall. */
export const TOP_MM = 5;

const PAPER = "#0b0d10";
const FINE = "#2b1a1d";
const STRONG = "#4d272d";
const TRACE = "#e6ebf0";
const WORDS = "#9fb3c8";

type Card = CanvasRenderingContext2D;

export function drawSheet(card: Card, sheet: Sheet, px_per_mm: number): void {
  card.setTransform(px_per_mm, 0, 0, px_per_mm, 0, 0);
  card.fillStyle = PAPER;
  card.fillRect(0, 0, sheet.width_mm, sheet.height_mm);
  drawGrid(card, sheet, px_per_mm);
  card.lineJoin = "round";
  for (const strip of sheet.strips) drawStrip(card, sheet, strip, px_per_mm);
}

function drawGrid(card: Card, { width_mm, height_mm }: Sheet, px_per_mm: number): void {
  for (const [step, colour, width] of [[1, FINE, 0.6], [5, STRONG, 0.9]] as const) {
    card.beginPath();
    for (let x = 0; x <= width_mm; x += step) {
      card.moveTo(x, 0);
      card.lineTo(x, height_mm);
    }
    for (let y = 0; y <= height_mm; y += step) {
      card.moveTo(0, y);
      card.lineTo(width_mm, y);
    }
    card.strokeStyle = colour;
    card.lineWidth = width / px_per_mm;
    card.stroke();
  }
}

function drawStrip(card: Card, sheet: Sheet, strip: Strip, px_per_mm: number): void {
  const { group, plan, speed_mm_per_s, gain_mm_per_mv } = sheet;
  const channel = group.channels[strip.channel];
  if (!channel) return;
  const count = Math.floor(sheet.values.length / group.channels.length);
  const first = Math.round(strip.from_s * group.frequency_hz);
  const last = Math.min(Math.round((strip.from_s + strip.seconds) * group.frequency_hz), count);
  const values = sheet.values.subarray(strip.channel * count + first, strip.channel * count + last);
  const scale = scaleOf(channel, values, gain_mm_per_mv, plan.row_mm);
  const left = MARGIN_MM + strip.from_s * speed_mm_per_s;
  const middle = TOP_MM + (strip.row + 0.5) * plan.row_mm;

  card.strokeStyle = TRACE;
  card.lineWidth = 1.3 / px_per_mm;
  if (strip.column === 0 && mvOf(channel.unit) !== undefined) drawPulse(card, middle, gain_mm_per_mv);
  if (strip.column > 0) drawTick(card, left, middle);
  trace(card, values, { left, middle, step: speed_mm_per_s / group.frequency_hz, scale });
  card.fillStyle = WORDS;
  card.font = "600 3.2px sans-serif";
  const words = [leadOf(channel.name), scale.words].filter(Boolean).join("  ");
  card.fillText(words, strip.column === 0 ? 1 : left + 1.5, strip.column === 0 ? middle + 1 : middle - 8);
}

/** 1 mV for 0.2 s at 25 mm/s: what the scale is measured by. */
function drawPulse(card: Card, middle: number, gain_mm_per_mv: number): void {
  card.beginPath();
  card.moveTo(10, middle);
  card.lineTo(11.5, middle);
  card.lineTo(11.5, middle - gain_mm_per_mv);
  card.lineTo(16.5, middle - gain_mm_per_mv);
  card.lineTo(16.5, middle);
  card.lineTo(18, middle);
  card.stroke();
}

/** Where one lead ends and the next begins. */
function drawTick(card: Card, left: number, middle: number): void {
  card.beginPath();
  card.moveTo(left, middle - 5);
  card.lineTo(left, middle - 2.5);
  card.moveTo(left, middle + 2.5);
  card.lineTo(left, middle + 5);
  card.stroke();
}

interface Tracing {
  left: number;
  middle: number;
  /** From sample to sample. */
  step: number;
  scale: { mm_per_unit: number; middle: number };
}

/** Every sample is drawn: none of several in a pixel is left out. What was not measured is a gap. */
function trace(card: Card, values: Float32Array, { left, middle, step, scale }: Tracing): void {
  card.beginPath();
  let isGap = true;
  values.forEach((value, at) => {
    if (Number.isNaN(value)) {
      isGap = true;
      return;
    }
    const y = middle - (value - scale.middle) * scale.mm_per_unit;
    if (isGap) card.moveTo(left + at * step, y);
    else card.lineTo(left + at * step, y);
    isGap = false;
  });
  card.stroke();
}
