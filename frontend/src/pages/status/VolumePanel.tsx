import { Group, Text } from "@mantine/core";

import type { Status } from "../../api/types";
import { formatBytes } from "../../ui";
import { Panel } from "./Panel";
import classes from "./status.module.css";
import { gaugeOf } from "./volume";

const COLORS = { fine: "var(--mantine-primary-color-filled)", low: "var(--rf-warn)", full: "var(--rf-bad)" };

/** How much room is left where objects are kept. */
export function VolumePanel({ volume }: { volume: Status["volume"] }) {
  const gauge = gaugeOf(volume);
  const percent = (part: number): string => `${(part * 100).toFixed(part < 0.01 ? 1 : 0)} %`;
  const words = {
    fine: `${formatBytes(gauge.usable_bytes)} can still be stored`,
    low: `Only ${formatBytes(gauge.usable_bytes)} can still be stored: make room soon`,
    full: "The volume is full: objects are refused until there is room",
  }[gauge.state];
  return (
    <Panel title="Volume">
      <Text fw={500} c={gauge.state === "fine" ? undefined : COLORS[gauge.state]} mb={8}>
        {words}
      </Text>
      <div
        className={classes.gauge}
        role="meter"
        aria-label="Used part of the volume"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(gauge.used * 100)}
        aria-valuetext={`${percent(gauge.used)} used, ${words}`}
      >
        <div style={{ width: `${gauge.used * 100}%`, background: COLORS[gauge.state] }} />
        <div className={classes.reserve} style={{ width: `max(3px, ${gauge.reserve * 100}%)` }} />
      </div>
      <Group justify="space-between" mt={8} gap="xs" fz="sm" c="dimmed">
        <span>
          {formatBytes(volume.size_bytes - volume.free_bytes)} of {formatBytes(volume.size_bytes)} used ({percent(gauge.used)})
        </span>
        <span>{formatBytes(volume.reserve_bytes)} stay free</span>
      </Group>
    </Panel>
  );
}
