import { Button, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowLeft, IconDeviceFloppy, IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";

import { problemOf } from "../../api/client";
import { useRehearsal, useSaveRule } from "../../api/rules";
import { Page, reasonOf, useKeys } from "../../ui";
import { Panel } from "../status/Panel";
import { lineOf, nameIn, readRule, writeRule } from "./guided";
import { keepText, keptText } from "./keptTexts";
import { LanguageHelp } from "./LanguageHelp";
import { RehearsalPanel } from "./RehearsalPanel";
import { RuleForm } from "./RuleForm";
import { RuleText, type TextProblem } from "./RuleText";
import classes from "./rules.module.css";

interface Props {
  /** null: not kept yet. */
  name: string | null;
  definition: string;
  onClose: () => void;
}

/** A rule as fields beside the same rule as text. The text is the rule; the fields are read from it. */
export function RuleEditor({ name, definition, onClose }: Props) {
  const id = name ?? "";
  const [text, setText] = useState(() => keptText(id) ?? definition);
  const [refusal, setRefusal] = useState<TextProblem | null>(null);
  const save = useSaveRule();
  const rehearsal = useRehearsal();
  const reading = readRule(text);
  const problem = "problem" in reading ? { line: reading.line, text: reading.problem } : refusal;

  function change(next: string): void {
    setText(next);
    keepText(id, next === definition ? undefined : next);
    setRefusal(null);
    rehearsal.reset();
  }
  const refused = (error: unknown): void => {
    const { setting, detail } = problemOf(error);
    setRefusal({ line: lineOf(text, setting, detail), text: reasonOf(error) });
  };
  function keep(): void {
    const written = nameIn(text);
    if (name !== null && written !== null && written !== name) {
      setRefusal({ line: lineOf(text, "name", ""), text: `this is the rule ${name}; make a copy to have one of another name` });
      return;
    }
    save.mutate({ name: name ?? written ?? "", definition: text }, {
      onSuccess: (rule) => {
        keepText(id, undefined);
        notifications.show({ message: `Rule ${rule.name} saved${rule.is_enabled ? ": it is on for what arrives from now on." : ", but it is off."}` });
        onClose();
      },
      onError: refused,
    });
  }
  const rehearse = (): void => { rehearsal.mutate(text, { onError: refused }); };
  useKeys([
    { keys: "mod+s", label: "Save the rule", whileTyping: true, run: keep },
    { keys: "mod+Enter", label: "Rehearse the rule", whileTyping: true, run: rehearse },
  ]);

  return (
    <Page
      title={name === null ? "New rule" : `Rule ${name}`}
      subtitle="It counts for what arrives after it is saved and on"
      actions={
        <>
          <Button variant="subtle" leftSection={<IconArrowLeft size={16} />} onClick={onClose}>All rules</Button>
          {text !== definition && <Button variant="default" onClick={() => { change(definition); }}>Discard changes</Button>}
          <Button variant="default" leftSection={<IconPlayerPlay size={16} />} loading={rehearsal.isPending} onClick={rehearse}>Rehearse</Button>
          <Button leftSection={<IconDeviceFloppy size={16} />} loading={save.isPending} onClick={keep}>Save</Button>
        </>
      }
    >
      <div className={classes.editor}>
        {"guided" in reading ?
          <Panel title="Form">
            <RuleForm rule={reading.guided} isKept={name !== null} onChange={(rule) => { change(writeRule(rule)); }} />
          </Panel>
        : <Panel title={"reason" in reading ? "More than the form can show" : "Not readable yet"} note="edit it as text">
            <LanguageHelp />
          </Panel>
        }
        <Stack gap={0}>
          <Panel title="Text" note="TOML, as “radfuse rules add” takes it">
            <RuleText value={text} problem={problem} onChange={change} />
          </Panel>
          {rehearsal.data !== undefined && <RehearsalPanel rehearsal={rehearsal.data} />}
        </Stack>
      </div>
    </Page>
  );
}
