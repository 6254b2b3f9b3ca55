import { IconCheck, IconX } from "@tabler/icons-react";

import type { PeerTest } from "../../api/types";
import { sentence } from "../../ui";
import classes from "./peers.module.css";

const NAMES: Record<PeerTest["steps"][number]["name"], string> = {
  network: "Network",
  TLS: "TLS",
  association: "Association",
  echo: "Echo",
  contexts: "Contexts",
};

/** What a test found, step by step, and what to do about the first that failed. */
export function TestSteps({ test }: { test: PeerTest }) {
  return (
    <div className={classes.test} role="status">
      <ol className={classes.steps}>
        {test.steps.map((step) => (
          <li key={step.name} className={classes.step} data-bad={!step.is_ok || undefined}>
            {step.is_ok ? <IconCheck size={15} aria-label="well" /> : <IconX size={15} aria-label="failed" />}
            <span className={classes.stepName}>{NAMES[step.name]}</span>
            <span className={classes.stepText}>{sentence(step.text)}</span>
          </li>
        ))}
      </ol>
      {test.cure && (
        <p className={classes.cure}>
          <strong>What to do:</strong> {test.cure}
        </p>
      )}
    </div>
  );
}
