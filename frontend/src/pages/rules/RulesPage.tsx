import { Button, Skeleton, Stack } from "@mantine/core";
import { IconPlus, IconRoute } from "@tabler/icons-react";
import { useSearchParams } from "react-router-dom";

import { useRules } from "../../api/rules";
import type { Rule } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { Empty, ErrorBox, Page, useKeys } from "../../ui";
import { EMPTY_RULE, tidied, writeRule } from "./guided";
import { RuleEditor } from "./RuleEditor";
import { RuleList } from "./RuleList";

/** What happens to what arrives: the list, or the editor of one rule (?rule=NAME, ?new, ?copy=NAME). */
export default function RulesPage() {
  const { data, error, refetch } = useRules();
  const [parameters, setParameters] = useSearchParams();
  const mayChange = hasRole(useSession(), "administrator");
  const opened = mayChange && data !== undefined ? openedBy(parameters, data) : null;
  const add = (): void => { setParameters({ new: "" }); };
  useKeys(mayChange && opened === null ? [{ keys: "n", label: "New rule", run: add }] : []);

  if (opened !== null) {
    return <RuleEditor key={opened.name ?? opened.definition} {...opened} onClose={() => { setParameters({}); }} />;
  }
  const addButton = mayChange && <Button leftSection={<IconPlus size={16} />} onClick={add}>New rule</Button>;
  return (
    <Page title="Rules" subtitle="What happens to what arrives: sent on, and perhaps forgotten here once it is safe elsewhere" actions={addButton}>
      {error !== null && data === undefined && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {error === null && data === undefined && <Stack gap="sm">{[1, 2, 3].map((each) => <Skeleton key={each} h={48} />)}</Stack>}
      {data?.length === 0 && (
        <Empty icon={<IconRoute size={40} stroke={1.4} />} title="Nothing is sent on by itself">
          <p>A rule sends what arrives to peers: all PET/CT to the PACS, or every object of one modality to a workstation at once.</p>
          {addButton}
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <RuleList
          rules={data}
          mayChange={mayChange}
          onEdit={(name) => { setParameters({ rule: name }); }}
          onCopy={(name) => { setParameters({ copy: name }); }}
        />
      )}
    </Page>
  );
}

interface Opened {
  /** null: the rule is not kept yet. */
  name: string | null;
  definition: string;
}

function openedBy(parameters: URLSearchParams, rules: Rule[]): Opened | null {
  const named = (key: string): Rule | undefined => rules.find((rule) => rule.name === parameters.get(key));
  const rule = named("rule");
  if (rule !== undefined) return { name: rule.name, definition: tidied(rule.definition) };
  const original = named("copy");
  if (original !== undefined) return { name: null, definition: renamed(tidied(original.definition), freeName(original.name, rules)) };
  return parameters.has("new") ? { name: null, definition: writeRule({ ...EMPTY_RULE, name: freeName("new-rule", rules, "") }) } : null;
}

function renamed(definition: string, name: string): string {
  return definition.replace(/^name\s*=.*$/m, () => `name = "${name}"`);
}

function freeName(name: string, rules: Rule[], mark = "-copy"): string {
  const taken = new Set(rules.map((rule) => rule.name));
  for (let number = 1; ; number += 1) {
    const candidate = `${name}${mark}${number === 1 ? "" : `-${number}`}`;
    if (!taken.has(candidate)) return candidate;
  }
}
