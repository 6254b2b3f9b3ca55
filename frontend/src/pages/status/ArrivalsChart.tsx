import { Text, VisuallyHidden } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useState, type KeyboardEvent } from "react";

import { formatBytes, formatCount, formatCounted } from "../../ui";
import { chartOf, totalOf, type Arrival } from "./arrivals";
import { Panel } from "./Panel";
import classes from "./status.module.css";

const HEIGHT = 172;
const FOOT = 20;
const LEFT = 44;
const HOURS_BETWEEN_LABELS = 3;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const hourOf = (arrival: Arrival): string => CLOCK.format(arrival.hour_s * 1000);

function told(arrival: Arrival): string {
  return `${hourOf(arrival)} to ${CLOCK.format((arrival.hour_s + 3600) * 1000)}: ${formatCounted(arrival.objects, "object")}, ${formatBytes(arrival.size_bytes)}`;
}

/** Objects by hour; the hour under the pointer, or chosen with the arrow keys, is told in numbers. */
export function ArrivalsChart({ arrivals }: { arrivals: Arrival[] }) {
  const { ref, width } = useElementSize();
  const [lit, setLit] = useState<number | null>(null);
  const chart = chartOf(arrivals, Math.max(0, width - LEFT), HEIGHT);
  const total = totalOf(arrivals);
  const sum = total.objects === 0 ? "Nothing came in the last 24 hours" : `${formatCounted(total.objects, "object")}, ${formatBytes(total.size_bytes)}`;
  const shown = lit === null ? undefined : arrivals[lit];

  function move(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") setLit(null);
    if (step === undefined || arrivals.length === 0) return;
    event.preventDefault();
    setLit(Math.min(arrivals.length - 1, Math.max(0, (lit ?? arrivals.length) + step)));
  }

  return (
    <Panel title="Arrivals" h="100%" note="in the last 24 hours" actions={<Text fz="sm" aria-live="polite">{shown ? told(shown) : sum}</Text>}>
      <div ref={ref}>
        <svg
          className={classes.chart}
          height={HEIGHT + FOOT}
          role="img"
          tabIndex={0}
          aria-label={`Objects by hour. ${sum}. Arrow keys tell each hour.`}
          onKeyDown={move}
          onBlur={() => setLit(null)}
          onPointerLeave={() => setLit(null)}
        >
          {chart.lines.map(({ value, y }) => (
            <g key={value}>
              <line className={classes.line} x1={LEFT} x2={width} y1={y} y2={y} />
              <text x={LEFT - 8} y={y + 4} textAnchor="end">{formatCount(value)}</text>
            </g>
          ))}
          {chart.bars.map(({ arrival, x, width: barWidth, height }, place) => (
            <g key={arrival.hour_s} transform={`translate(${LEFT + x} 0)`} onPointerEnter={() => setLit(place)}>
              <rect className={place === lit ? classes.columnLit : classes.column} x={-1} width={barWidth + 2} height={HEIGHT} />
              <rect className={place === lit ? classes.barLit : classes.bar} y={HEIGHT - height} width={barWidth} height={height} rx={1} />
              {place % HOURS_BETWEEN_LABELS === 0 && <text y={HEIGHT + 15}>{hourOf(arrival)}</text>}
            </g>
          ))}
        </svg>
      </div>
      <VisuallyHidden component="ul">
        {arrivals.filter((each) => each.objects > 0).map((each) => <li key={each.hour_s}>{told(each)}</li>)}
      </VisuallyHidden>
    </Panel>
  );
}
