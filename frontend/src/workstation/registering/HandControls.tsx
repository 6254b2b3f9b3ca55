import { NumberInput } from "@mantine/core";

import type { Vector } from "../../api/workstation";
import { showMethod } from "./placing";
import styles from "./registering.module.css";
import { useRegistering } from "./store";
import type { Six } from "./hand";

/** Patient axes: towards the left, the back, the head. */
const AXES = ["L", "P", "H"] as const;

/** The six numbers, as they stand while it is dragged, and typed. */
export function HandControls() {
  const hand = useRegistering((state) => state.hand);
  if (!hand) return <p className={styles.quiet}>The overlay is being read …</p>;
  const change = (what: "shift_mm" | "turn_degrees", axis: number, value: number) => {
    const next: Six = { ...hand, [what]: hand[what].map((each, at) => (at === axis ? value : each)) as Vector };
    useRegistering.setState({ hand: next });
    showMethod();
  };
  return (
    <div className={styles.six}>
      {(["shift_mm", "turn_degrees"] as const).flatMap((what) =>
        AXES.map((axis, at) => (
          <NumberInput
            key={what + axis} size="xs" decimalScale={2} step={what === "shift_mm" ? 1 : 0.5} suffix={what === "shift_mm" ? " mm" : "°"}
            label={what === "shift_mm" ? `Shift ${axis}` : `Turn ${axis}`} value={Number(hand[what][at]?.toFixed(2))}
            min={what === "shift_mm" ? undefined : -360} max={what === "shift_mm" ? undefined : 360}
            onChange={(value) => { if (typeof value === "number") change(what, at, value); }}
          />
        )),
      )}
    </div>
  );
}
