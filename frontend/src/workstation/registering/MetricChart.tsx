import type { Metric } from "../../api/types";
import { figure } from "../model/words";
import styles from "./registering.module.css";

const [WIDE, TALL] = [240, 44];

/** Places of the values from the first to the newest, the lowest at the foot. */
export function curveOf(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) return "";
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const height = high - low || 1;
  return finite
    .map((value, at) => `${((at / (finite.length - 1)) * WIDE).toFixed(1)},${(2 + (1 - (value - low) / height) * (TALL - 4)).toFixed(1)}`)
    .join(" ");
}

/** The number that the registration makes smaller, while it does. */
export function MetricChart({ metric: { stage, name, values } }: { metric: Metric }) {
  const last = values.at(-1);
  return (
    <figure className={styles.metric}>
      <svg viewBox={`0 0 ${String(WIDE)} ${String(TALL)}`} preserveAspectRatio="none" role="img" aria-label={`${name}, ${stage}`}>
        <polyline points={curveOf(values)} vectorEffect="non-scaling-stroke" />
      </svg>
      <figcaption>
        <span>{stage}</span>
        {last !== undefined && <span title={name}>{name} <b>{figure(last)}</b></span>}
      </figcaption>
    </figure>
  );
}
