import { Menu, NumberInput, UnstyledButton } from "@mantine/core";
import { IconCheck, IconChevronUp } from "@tabler/icons-react";

import { modalityOf } from "../../ui";
import { COLOUR_MAPS, gradientOf } from "../model/colours";
import { useFactsOf } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { edge } from "../model/words";
import styles from "./bars.module.css";

/** Which values are shown from dark to bright, in which colours; presets of the series. */
export function WindowControl({ slot }: { slot: "base" | "overlay" }) {
  const facts = useFactsOf(slot);
  const display = useWorkspace((state) => (facts ? state.doc.display[facts.SeriesInstanceUID] : undefined));
  if (!facts || !display) return null;
  const { SeriesInstanceUID: series, Modality, unit } = facts;
  return (
    <Menu position="top-start" width={260} closeOnItemClick={false}>
      <Menu.Target>
        <UnstyledButton className={styles.window} aria-label={`Window and colours of ${Modality}`}>
          <b style={{ color: modalityOf(Modality).color }}>{Modality}</b>
          <span className={styles.gradient} style={{ background: gradientOf(display.colours, display.is_inverted ? "left" : "right") }} />
          <span className={styles.edges}>{edges(display.low, display.high)} {unit}</span>
          <IconChevronUp size={12} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Edges series={series} low={display.low} high={display.high} />
        {facts.presets.length > 0 && <Menu.Label>Presets</Menu.Label>}
        {facts.presets.map(({ name, low, high }) => (
          <Menu.Item key={name} rightSection={name !== edges(low, high) && <span className={styles.quiet}>{edges(low, high)}</span>} onClick={() => { useWorkspace.getState().setWindow(series, low, high); }}>
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        {Object.entries(COLOUR_MAPS).map(([name, { label }]) => (
          <Menu.Item
            key={name}
            leftSection={<span className={styles.gradient} style={{ background: gradientOf(name) }} />}
            rightSection={display.colours === name && <IconCheck size={14} aria-label="chosen" />}
            onClick={() => { useWorkspace.getState().setDisplay(series, { colours: name }); }}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Item rightSection={display.is_inverted && <IconCheck size={14} aria-label="on" />} onClick={() => { useWorkspace.getState().setDisplay(series, { is_inverted: !display.is_inverted }); }}>
          Inverted
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function edges(low: number, high: number): string {
  return `${edge(low)} to ${edge(high)}`;
}

function Edges({ series, low, high }: { series: string; low: number; high: number }) {
  const setWindow = useWorkspace((state) => state.setWindow);
  const step = high - low > 50 ? 10 : 0.5;
  return (
    <div className={styles.edgeFields}>
      <NumberInput size="xs" label="From" value={low} step={step} decimalScale={2} max={high} onChange={(value) => { if (typeof value === "number" && value < high) setWindow(series, value, high); }} />
      <NumberInput size="xs" label="To" value={high} step={step} decimalScale={2} min={low} onChange={(value) => { if (typeof value === "number" && value > low) setWindow(series, low, value); }} />
    </div>
  );
}
