import { Button, NumberInput, SegmentedControl } from "@mantine/core";

import type { ThresholdKind } from "../../api/workstation";
import { makeRegion, measuredView, numbersOf } from "../model/making";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import styles from "../panels/panels.module.css";
import { Millimetres } from "./Millimetres";
import { KINDS, LIVER, USUAL, liverRule } from "./threshold";

function useUnit(): string {
  return useWorkspace((state) => {
    const view = measuredView(state);
    return view ? (state.facts[view.series]?.unit ?? "") : "";
  });
}

export function ThresholdOptions() {
  const { threshold_of, threshold } = useWorkspace((state) => state.options);
  const setOption = useWorkspace((state) => state.setOption);
  const unit = useUnit();
  const isShare = threshold_of === "max";
  return (
    <>
      <SegmentedControl
        size="xs" fullWidth aria-label="What the threshold goes by" value={threshold_of}
        data={KINDS.map(({ value, label, title }) => ({ value, label: <span title={title}>{label}</span> }))}
        onChange={(of) => { setOption({ threshold_of: of as ThresholdKind, threshold: USUAL[of as ThresholdKind] }); }}
      />
      {threshold_of === "liver" && <Liver />}
      <div className={styles.pair}>
        {(isShare || threshold_of === "absolute") && (
          <NumberInput
            size="xs" label="Threshold" suffix={isShare ? " %" : ` ${unit}`}
            value={threshold} min={0} max={isShare ? 100 : undefined} step={isShare ? 1 : 0.5} decimalScale={3}
            onChange={(value) => { if (typeof value === "number" && value > 0) setOption({ threshold: value }); }}
          />
        )}
        <Millimetres option="within_mm" label="Within a ball of" />
      </div>
    </>
  );
}

/** Where PERCIST measures the liver: a ball of 30 mm at the crosshair, kept as a region of that name. */
function Liver() {
  const region = useWorkspace(({ doc }) => doc.regions.filter(({ name, rule }) => name === LIVER && rule.kind === "sphere").at(-1));
  const cursor = useWorkspace((state) => state.doc.cursor_mm);
  const numbers = region && numbersOf(region);
  return (
    <>
      <Button
        size="compact-xs" variant="default" disabled={!cursor}
        title="A ball of 30 mm at the crosshair: put it into the middle of the right lobe, where there is no lesion"
        onClick={() => { if (cursor) void makeRegion(liverRule(cursor), { name: LIVER, kind: "measurement" }); }}
      >
        Mark the liver at the crosshair
      </Button>
      <p className={styles.note}>
        {numbers ? `Liver: mean ${figure(numbers.mean)} ± ${figure(numbers.sd)} ${numbers.unit}.` : "No liver is marked yet."}
      </p>
    </>
  );
}
