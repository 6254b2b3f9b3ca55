import { Text } from "@mantine/core";
import type { KeyboardEvent } from "react";

import { sentence } from "../../ui";
import classes from "./rules.module.css";

export interface TextProblem {
  line: number | null;
  text: string;
}

interface Props {
  value: string;
  problem: TextProblem | null;
  onChange: (value: string) => void;
}

const LEAST_LINES = 16;

/** The rule as it is written; the line that is wrong is marked. */
export function RuleText({ value, problem, onChange }: Props) {
  const count = value.split("\n").length;

  return (
    <div>
      <div className={classes.text} data-wrong={problem !== null || undefined}>
        <div className={classes.numbers} aria-hidden>
          {Array.from({ length: count }, (_, place) => (
            <div key={place} className={classes.number} data-wrong={problem?.line === place + 1 || undefined}>{place + 1}</div>
          ))}
        </div>
        <textarea
          className={classes.area}
          value={value}
          wrap="off"
          rows={Math.max(count, LEAST_LINES)}
          spellCheck={false}
          aria-label="The rule as TOML"
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : "rule-problem"}
          onChange={(event) => { onChange(event.currentTarget.value); }}
          onKeyDown={indent}
        />
      </div>
      {problem !== null && (
        <Text id="rule-problem" role="alert" c="var(--mantine-color-error)" mt={4}>
          {problem.line !== null && <strong>Line {problem.line}: </strong>}
          {sentence(problem.text)}
        </Text>
      )}
    </div>
  );
}

/** A new line begins below the beginning of the one before. */
function indent(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
  const { value, selectionStart } = event.currentTarget;
  const spaces = /^[ \t]*/.exec(value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart))?.[0] ?? "";
  if (spaces === "") return;
  event.preventDefault();
  // The only way that keeps the browser's own undo.
  document.execCommand("insertText", false, `\n${spaces}`);
}
