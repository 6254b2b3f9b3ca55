import { NumberInput, SegmentedControl, Slider, Switch } from "@mantine/core";

import type { KeptRegion, Rule } from "../../api/workstation";
import { numbersOf, refineRegion } from "../model/making";
import { figure } from "../model/words";
import styles from "../panels/panels.module.css";

interface Of<K extends Rule["kind"]> {
  region: KeptRegion;
  rule: Extract<Rule, { kind: K }>;
}

/** What a region goes by, to be changed as one looks at it. */
export function RuleControls({ region }: { region: KeptRegion }) {
  const { rule } = region;
  switch (rule.kind) {
    case "threshold":
      return <ThresholdControls region={region} rule={rule} />;
    case "grow":
      return <GrowControls region={region} rule={rule} />;
    case "sphere":
      return <SphereControls region={region} rule={rule} />;
    case "contours":
      return <ContourControls region={region} rule={rule} />;
    default:
      return null;
  }
}

const OF = [
  { value: "max", label: "% of max" },
  { value: "absolute", label: "Value" },
];

function ThresholdControls({ region, rule }: Of<"threshold">) {
  const numbers = numbersOf(region);
  const most = numbers?.max ?? 0;
  if (rule.of !== "max" && rule.of !== "absolute") return null;
  const isShare = rule.of === "max";
  // The same threshold, said in the other way.
  const turn = (of: string) => {
    if (!(most > 0) || of === rule.of) return;
    const value = of === "max" ? (100 * rule.value) / most : (rule.value * most) / 100;
    refineRegion(region.id, { ...rule, of: of === "max" ? "max" : "absolute", value: Number(value.toPrecision(3)) });
  };
  return (
    <>
      <SegmentedControl size="xs" fullWidth aria-label="What its threshold goes by" data={OF} value={rule.of} onChange={turn} />
      <Slider
        size="sm" thumbLabel="Threshold" min={isShare ? 5 : 0} max={isShare ? 95 : Math.max(most, rule.value)} step={isShare ? 1 : Number((most / 100 || 0.1).toPrecision(1))}
        label={(value) => (isShare ? `${figure(value)} %` : `${figure(value)} ${numbers?.unit ?? ""}`)}
        value={rule.value} onChange={(value) => { if (value > 0) refineRegion(region.id, { ...rule, value }); }}
      />
    </>
  );
}

function GrowControls({ region, rule }: Of<"grow">) {
  return (
    <div className={styles.pair}>
      {(["low", "high"] as const).map((end) => (
        <NumberInput
          key={end} size="xs" label={end === "low" ? "From" : "To"} value={rule[end]} decimalScale={3}
          onChange={(value) => { if (typeof value === "number" && value !== rule[end]) refineRegion(region.id, { ...rule, [end]: value }); }}
        />
      ))}
    </div>
  );
}

function SphereControls({ region, rule }: Of<"sphere">) {
  return (
    <Slider
      size="sm" thumbLabel="Diameter" min={4} max={Math.max(80, rule.diameter_mm)} step={1} label={(value) => `${figure(value)} mm`}
      value={rule.diameter_mm} onChange={(diameter_mm) => { refineRegion(region.id, { ...rule, diameter_mm }); }}
    />
  );
}

function ContourControls({ region, rule }: Of<"contours">) {
  return (
    <Switch
      size="xs" label={`Fill the slices between its ${String(rule.planes.length)} outlines`} checked={rule.interpolate}
      onChange={(event) => { refineRegion(region.id, { ...rule, interpolate: event.currentTarget.checked }); }}
    />
  );
}
