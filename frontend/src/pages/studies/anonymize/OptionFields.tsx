import { Checkbox, Fieldset, SegmentedControl, Text } from "@mantine/core";

import styles from "./anonymize.module.css";
import { CLEANED, DATES, DATES_WORDS, presetOf, PRESETS, RETAINED, toggled, type Choice, type OptionWords } from "./options";

interface OptionFieldsProps {
  choice: Choice;
  onChange: (choice: Choice) => void;
}

const OWN = "own";

/** The Basic Profile, and what of it is let off. */
export function OptionFields({ choice, onChange }: OptionFieldsProps) {
  const preset = presetOf(choice);
  const boxes = (all: readonly OptionWords[]) =>
    all.map(({ name, label, explains }) => (
      <Checkbox
        key={name}
        label={label}
        description={explains}
        checked={choice.options.includes(name)}
        onChange={() => { onChange(toggled(choice, name)); }}
      />
    ));
  return (
    <div className={styles.options}>
      <div>
        <SegmentedControl
          aria-label="Profile"
          value={preset?.name ?? OWN}
          onChange={(name) => {
            const picked = PRESETS.find((each) => each.name === name);
            if (picked) onChange({ dates: picked.dates, options: picked.options });
          }}
          data={[
            ...PRESETS.map(({ name, label }) => ({ value: name, label })),
            ...(preset ? [] : [{ value: OWN, label: "Own choice" }]),
          ]}
        />
        <Text c="dimmed" size="sm" mt={4}>
          {preset?.explains ?? "The Basic Profile of PS3.15, but for what is chosen below."}
        </Text>
      </div>
      <div className={styles.dates}>
        <Text size="sm" fw={500}>Dates and times</Text>
        <SegmentedControl
          aria-label="Dates and times"
          value={choice.dates}
          onChange={(dates) => { onChange({ ...choice, dates }); }}
          data={[...DATES]}
        />
        <Text c="dimmed" size="sm">{DATES_WORDS[choice.dates]}</Text>
      </div>
      <div className={styles.groups}>
        <Fieldset legend="Keep">{boxes(RETAINED)}</Fieldset>
        <Fieldset legend="Clean instead of removing">{boxes(CLEANED)}</Fieldset>
      </div>
    </div>
  );
}
