import { NumberInput } from "@mantine/core";

import { useWorkspace } from "../model/store";

export function Millimetres({ option, label }: { option: "sphere_mm" | "brush_mm" | "within_mm"; label: string }) {
  const value = useWorkspace((state) => state.options[option]);
  const setOption = useWorkspace((state) => state.setOption);
  const isBound = option === "within_mm";
  return (
    <NumberInput
      size="xs" label={label} suffix=" mm" value={value} min={isBound ? 0 : 1} max={500} step={isBound ? 10 : 1} decimalScale={1}
      onChange={(next) => { if (typeof next === "number" && next >= 0) setOption({ [option]: next }); }}
    />
  );
}
