import { Select, Switch, TagsInput, TextInput } from "@mantine/core";

import type { Setting } from "../../api/types";
import { DatabasesField } from "./DatabasesField";
import type { SettingValue } from "./draft";
import { QuantityField } from "./QuantityField";
import { choiceWords } from "./choices";

export interface FieldProps {
  setting: Setting;
  label: string;
  value: SettingValue;
  error: string | undefined;
  describedBy: string;
  onChange: (value: SettingValue) => void;
}

/** The field that fits the kind of the setting. */
export function SettingField(props: FieldProps) {
  const { setting, label, value, error, describedBy, onChange } = props;
  const isDisabled = setting.source === "environment";
  const common = { "aria-label": label, "aria-describedby": describedBy, disabled: isDisabled, error };

  if (typeof value === "boolean") {
    return (
      <Switch
        {...common}
        withThumbIndicator={false}
        checked={value}
        onChange={(event) => { onChange(event.currentTarget.checked); }}
        label={value ? "On" : "Off"}
      />
    );
  }
  if (typeof value === "number") {
    return (
      <QuantityField
        settingKey={setting.key}
        label={label}
        value={value}
        isInteger={setting.kind === "integer"}
        isDisabled={isDisabled}
        error={error}
        describedBy={describedBy}
        onChange={onChange}
      />
    );
  }
  if (Array.isArray(value)) {
    return <TagsInput {...common} value={value} onChange={onChange} placeholder={value.length === 0 ? "None" : ""} splitChars={[",", " ", "\n"]} />;
  }
  if (typeof value === "object") return <DatabasesField {...props} value={value} isDisabled={isDisabled} />;
  if (setting.kind === "choice") {
    return <Select {...common} value={value} onChange={(chosen) => { onChange(chosen ?? ""); }} data={choiceWords(setting)} />;
  }
  return (
    <TextInput
      {...common}
      value={value}
      onChange={(event) => { onChange(event.currentTarget.value); }}
      placeholder={value === "" ? "Not set" : ""}
      autoComplete="off"
      spellCheck={false}
    />
  );
}
