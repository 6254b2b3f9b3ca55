import type { Vector } from "../../api/workstation";
import styles from "../panels/panels.module.css";

export interface Curve {
  name: string;
  colour: Vector;
  doses_gy: readonly number[];
  percents: readonly number[];
}

const [WIDE, TALL] = [284, 170];
const [LEFT, BOTTOM, TOP, RIGHT] = [30, 28, 6, 8];
const PERCENTS = [0, 25, 50, 75, 100];

/** A round step that gives four to eight ticks. */
export function tickStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1e-6) / 4));
  return [1, 2, 5, 10].map((each) => each * power).find((step) => most / step <= 8) ?? 10 * power;
}

/** Dose-volume histograms: which part of the volume receives at least a dose. */
export function DoseChart({ curves }: { curves: readonly Curve[] }) {
  const most = Math.max(0.01, ...curves.map(({ doses_gy }) => doses_gy.at(-1) ?? 0));
  const x = (gy: number) => LEFT + (gy / most) * (WIDE - LEFT - RIGHT);
  const y = (percent: number) => TOP + (1 - percent / 100) * (TALL - TOP - BOTTOM);
  const step = tickStep(most);
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, which) => which * step);
  return (
    <svg className={styles.chart} viewBox={`0 0 ${String(WIDE)} ${String(TALL)}`} role="img" aria-label={`Dose-volume histogram of ${curves.map(({ name }) => name).join(", ")}`}>
      <g fontSize={10} fill="currentColor" stroke="none" opacity={0.75}>
        {PERCENTS.map((each) => (
          <g key={each}>
            <path d={`M${String(LEFT)} ${y(each).toFixed(1)}H${String(WIDE - RIGHT)}`} stroke="currentColor" strokeOpacity={0.15} />
            <text x={LEFT - 4} y={y(each) + 3} textAnchor="end">{each}</text>
          </g>
        ))}
        {ticks.map((each) => <text key={each} x={x(each)} y={TALL - BOTTOM + 13} textAnchor="middle">{Number(each.toPrecision(3))}</text>)}
        <text x={WIDE - RIGHT} y={TALL - 3} textAnchor="end">Gy</text>
        <text x={2} y={TALL - 3}>% volume</text>
      </g>
      {curves.map((curve) => (
        <polyline
          key={curve.name} fill="none" stroke={`rgb(${curve.colour.join(" ")})`} strokeWidth={1.6}
          points={curve.doses_gy.map((gy, which) => `${x(gy).toFixed(1)},${y(curve.percents[which] ?? 0).toFixed(1)}`).join(" ")}
        >
          <title>{curve.name}</title>
        </polyline>
      ))}
    </svg>
  );
}
