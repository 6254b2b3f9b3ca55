import { Group, NativeSelect, NumberInput } from "@mantine/core";
import { useState } from "react";

import { fittingUnit, isPort, unitsOf } from "./units";

interface Props {
  settingKey: string;
  label: string;
  value: number;
  isInteger: boolean;
  isDisabled: boolean;
  error: string | undefined;
  describedBy: string;
  onChange: (value: number) => void;
}

const FRACTION = 6;

/** A number with the unit in which people think of it; what is saved stays in the unit that the key names. */
export function QuantityField({ settingKey, label, value, isInteger, isDisabled, error, describedBy, onChange }: Props) {
  const units = unitsOf(settingKey);
  const [unitName, setUnitName] = useState(() => fittingUnit(value, units).name);
  const unit = units.find((each) => each.name === unitName) ?? { name: "", factor: 1 };

  function change(amount: number | string): void {
    // What is still being typed ("", "-") is no number yet.
    if (typeof amount !== "number") return;
    const exact = amount * unit.factor;
    onChange(isInteger ? Math.round(exact) : Number(exact.toPrecision(12)));
  }

  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <NumberInput
        style={{ flex: 1 }}
        aria-label={label}
        aria-describedby={describedBy}
        value={Number((value / unit.factor).toPrecision(12))}
        onChange={change}
        disabled={isDisabled}
        error={error}
        decimalScale={isInteger && unit.factor === 1 ? 0 : FRACTION}
        thousandSeparator={isPort(settingKey) ? "" : ","}
        hideControls={unit.factor > 1}
      />
      {units.length > 1 && (
        <NativeSelect
          w={104}
          aria-label={`Unit of ${label}`}
          value={unitName}
          onChange={(event) => { setUnitName(event.currentTarget.value); }}
          disabled={isDisabled}
          data={units.map((each) => each.name)}
        />
      )}
      {units.length === 1 && <span style={{ lineHeight: "30px", width: 104, flex: "none" }}>{unitName}</span>}
    </Group>
  );
}
