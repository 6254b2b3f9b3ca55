import { Badge, Button, Group, Text, Tooltip } from "@mantine/core";
import { IconLock, IconRotateClockwise } from "@tabler/icons-react";

import type { Setting } from "../../api/types";
import { choiceWord } from "./choices";
import { canReset, inWords, shownValue, type Draft, type SettingValue } from "./draft";
import { labelOf, variableOf } from "./sections";
import { SettingField } from "./SettingField";
import classes from "./settings.module.css";

interface Props {
  setting: Setting;
  draft: Draft;
  error: string | undefined;
  onChange: (setting: Setting, value: SettingValue | null) => void;
}

/** One setting: what it is, its field, where its value comes from. */
export function SettingRow({ setting, draft, error, onChange }: Props) {
  const label = labelOf(setting.key);
  const about = `about-${setting.key}`;
  const isChanged = setting.key in draft;
  return (
    <div className={classes.row} data-wide={setting.kind === "map" || undefined} data-changed={isChanged || undefined}>
      <div className={classes.words}>
        <Group gap={6}>
          <Text component="h3" fz="md" fw={500} m={0}>{label}</Text>
          <Origin setting={setting} isChanged={isChanged} />
        </Group>
        <Text fz="sm" c="dimmed" id={about}>
          <Described text={setting.description} />{" "}
          <Tooltip label={`${setting.key} in radfuse.toml, ${variableOf(setting.key)} in the environment`}>
            <span className={classes.key} tabIndex={0}>{setting.key}</span>
          </Tooltip>
        </Text>
      </div>
      <div className={classes.field}>
        <SettingField
          setting={setting}
          label={label}
          value={shownValue(draft, setting)}
          error={error}
          describedBy={about}
          onChange={(value) => { onChange(setting, value); }}
        />
        {setting.source === "environment" ?
          <Text fz="sm" c="dimmed" mt={4}>
            Set by {variableOf(setting.key)} in the environment of the service: change it there.
          </Text>
        : setting.kind !== "map" && (
            <Group gap="sm" mt={2} mih={22}>
              <Text fz="sm" c="dimmed">Default: {defaultWords(setting)}</Text>
              {canReset(draft, setting) && (
                <Button variant="subtle" size="compact-xs" aria-label={`Reset ${label} to default`} onClick={() => { onChange(setting, null); }}>
                  Reset to default
                </Button>
              )}
            </Group>
          )}
      </div>
    </div>
  );
}

function defaultWords(setting: Setting): string {
  const { default: value, kind, key } = setting;
  return kind === "choice" && typeof value === "string" ? choiceWord(setting, value).toLowerCase() : inWords(value, key);
}

/** What stands between backticks is code. */
function Described({ text }: { text: string }) {
  return text.split("`").map((part, place) => (place % 2 === 0 ? part : <code key={place} className={classes.code}>{part}</code>));
}

function Origin({ setting, isChanged }: { setting: Setting; isChanged: boolean }) {
  return (
    <>
      {isChanged && <Badge size="sm">changed</Badge>}
      {!isChanged && setting.source === "file" && <Badge size="sm" color="gray">from the file</Badge>}
      {setting.source === "environment" && (
        <Badge size="sm" color="gray" leftSection={<IconLock size={12} />}>environment</Badge>
      )}
      {setting.needs_restart && (
        <Tooltip label="Saved, but the running service still has the value from before. Restart it to use this one.">
          <Badge size="sm" color="yellow" leftSection={<IconRotateClockwise size={12} />} tabIndex={0}>after restart</Badge>
        </Tooltip>
      )}
    </>
  );
}
