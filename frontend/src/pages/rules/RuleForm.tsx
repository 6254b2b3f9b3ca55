import { Checkbox, Fieldset, Group, MultiSelect, NumberInput, Radio, Select, Stack, Switch, TagsInput, Text, TextInput } from "@mantine/core";

import { usePeers } from "../../api/peers";
import { useSession } from "../../app/session";
import { DEFAULT_STABLE_S, type Guided } from "./guided";

const MODALITIES = ["CT", "MR", "PT", "NM", "CR", "DX", "MG", "US", "XA", "RF", "SR", "SEG", "REG", "RTSTRUCT", "RTPLAN", "RTDOSE", "SC", "OT"];
const SPLIT = [",", " "];

interface Props {
  rule: Guided;
  /** The name of a kept rule stays. */
  isKept: boolean;
  onChange: (rule: Guided) => void;
}

/** The common kind of rule, in fields. Each change writes the text anew. */
export function RuleForm({ rule, isKept, onChange }: Props) {
  const set = (part: Partial<Guided>): void => { onChange({ ...rule, ...part }); };
  const { databases } = useSession();
  return (
    <Stack gap="md">
      <Group align="flex-start" grow>
        <TextInput
          label="Name"
          description={isKept ? "Stays; make a copy for another one" : "Letters, digits, dot, hyphen, underscore"}
          value={rule.name}
          disabled={isKept}
          onChange={(event) => { set({ name: event.currentTarget.value }); }}
        />
        {databases.length > 1 && (
          <Select
            label="Database"
            description="Where it looks"
            value={rule.database === "" ? (databases[0] ?? null) : rule.database}
            data={databases}
            onChange={(database) => { set({ database: database === databases[0] ? "" : (database ?? "") }); }}
          />
        )}
      </Group>
      <Fieldset legend="When an object …" radius="md" m={0}>
        <Stack gap="sm">
          <TagsInput
            label="is of the modality"
            placeholder={rule.modalities.length === 0 ? "Any" : ""}
            data={MODALITIES}
            splitChars={SPLIT}
            value={rule.modalities}
            onChange={(modalities) => { set({ modalities: modalities.map((each) => each.toUpperCase()) }); }}
          />
          <TagsInput
            label="came from the AE title"
            placeholder={rule.callingAeTitles.length === 0 ? "Any" : ""}
            splitChars={[","]}
            value={rule.callingAeTitles}
            onChange={(callingAeTitles) => { set({ callingAeTitles }); }}
          />
          <Group grow align="flex-start">
            <TextInput
              label="has a study description with"
              placeholder="Any"
              value={rule.description}
              onChange={(event) => { set({ description: event.currentTarget.value }); }}
            />
            <TextInput
              label="and without"
              placeholder="Nothing"
              value={rule.notDescription}
              onChange={(event) => { set({ notDescription: event.currentTarget.value }); }}
            />
          </Group>
        </Stack>
      </Fieldset>
      <Destinations rule={rule} set={set} />
    </Stack>
  );
}

function Destinations({ rule, set }: { rule: Guided; set: (part: Partial<Guided>) => void }) {
  const peers = usePeers();
  const names = (peers.data ?? []).filter((peer) => peer.send).map((peer) => peer.name);
  return (
    <Fieldset legend="… then" radius="md" m={0}>
      <Stack gap="sm">
        <MultiSelect
          label="send it to"
          placeholder={rule.send.length === 0 ? "Choose peers" : ""}
          // A peer that is gone still stands in the rule.
          data={[...new Set([...names, ...rule.send])]}
          value={rule.send}
          searchable
          nothingFoundMessage="No such peer; add it under Peers"
          onChange={(send) => { set({ send }); }}
        />
        <Radio.Group label="when" value={rule.when} onChange={(when) => { set({ when: when as Guided["when"], stableS: DEFAULT_STABLE_S }); }}>
          <Stack gap={6} mt={4}>
            <Group gap="sm">
              <Radio value="study stable" label="the study is complete: nothing new for" />
              <NumberInput
                aria-label="Seconds without anything new"
                w={104}
                suffix=" s"
                min={0}
                disabled={rule.when !== "study stable"}
                value={rule.stableS}
                onChange={(stableS) => { if (typeof stableS === "number") set({ stableS }); }}
              />
            </Group>
            <Radio value="instance" label="at once, each object by itself" />
          </Stack>
        </Radio.Group>
        <Forget rule={rule} set={set} />
      </Stack>
    </Fieldset>
  );
}

function Forget({ rule, set }: { rule: Guided; set: (part: Partial<Guided>) => void }) {
  const { forget } = rule;
  return (
    <Stack gap={6}>
      <Switch withThumbIndicator={false}
        label="Forget it here afterwards"
        description="Only what every destination has acknowledged; what failed, came with a warning or is promised stays"
        checked={forget !== null}
        onChange={(event) => { set({ forget: event.currentTarget.checked ? { afterDays: 7, isCommitted: true } : null }); }}
      />
      {forget !== null && (
        <Group gap="md" pl={44}>
          <Text>after</Text>
          <NumberInput
            aria-label="Days until it is forgotten"
            w={120}
            min={0}
            suffix={forget.afterDays === 1 ? " day" : " days"}
            value={forget.afterDays}
            onChange={(afterDays) => { if (typeof afterDays === "number") set({ forget: { ...forget, afterDays } }); }}
          />
          <Checkbox
            label="and they promised to keep it (storage commitment)"
            checked={forget.isCommitted}
            onChange={(event) => { set({ forget: { ...forget, isCommitted: event.currentTarget.checked } }); }}
          />
        </Group>
      )}
    </Stack>
  );
}
