import { Button, Checkbox, Group, Kbd, Stack, Text, UnstyledButton } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useState } from "react";

import { proposalPicture, type ProposalCheck, type RegistrationProposal } from "../../api/registering";
import { hasRole, useSession } from "../../app/session";
import { capitalized, sentence } from "../../ui";
import { useWorkspace } from "../model/store";
import { GRADE_WORDS } from "../model/words";
import { accept, compare, discard } from "./actions";
import styles from "./registering.module.css";
import { useRegistering } from "./store";

/** What was found, judged, and not kept yet: numbers beside limits, pictures, and the decision. */
export function ProposalCard({ proposal }: { proposal: RegistrationProposal }) {
  const isBefore = useRegistering((state) => state.isBefore);
  const mayKeep = hasRole(useSession(), "operator");
  // What the reason says already is not said again.
  const all = new Set([proposal.fell_back, ...proposal.concerns, ...proposal.notes]);
  const remarks = [...all].filter((each) => each && !proposal.reason.includes(each));
  const decide = () => {
    if (proposal.grade === "FAIL") askFailed(proposal);
    else void accept(false);
  };
  return (
    <>
      <div className={styles.verdict} data-grade={proposal.grade} role="status">
        <b>Proposed: {GRADE_WORDS[proposal.grade]}</b>
        <span>{sentence(proposal.reason)}</span>
      </div>
      <Group gap="xs" grow>
        <Button size="compact-sm" variant={isBefore ? "light" : "default"} aria-pressed={isBefore} rightSection={<Kbd size="xs">V</Kbd>} onClick={compare}>
          {isBefore ? "Before" : "After"}
        </Button>
      </Group>
      <Checks checks={proposal.checks} />
      {remarks.map((each) => <p key={each} className={styles.quiet}>{sentence(each)}</p>)}
      <Pictures proposal={proposal} />
      <details className={styles.quiet}>
        <summary>How it was made</summary>
        <dl className={styles.made}>
          {Object.entries(proposal.parameters).map(([name, value]) => (
            <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
          ))}
        </dl>
      </details>
      <Group gap="xs" grow className={styles.decision}>
        <Button size="compact-md" color={proposal.grade === "FAIL" ? "orange" : undefined} disabled={!mayKeep} onClick={decide}>
          {proposal.grade === "FAIL" ? "Accept …" : "Accept"}
        </Button>
        <Button size="compact-md" variant="default" disabled={!mayKeep} onClick={() => void discard()}>Discard</Button>
      </Group>
      <p className={styles.quiet}>
        {mayKeep ? "Accepted, it is kept with its report card under your name; nothing is kept before." : "An operator may accept it."}
      </p>
    </>
  );
}

function words(value: number | null, unit: string): string {
  if (value === null) return "";
  const shown = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return `${shown}${unit === "1" ? "" : ` ${unit}`}`;
}

/** "≤ 3.00 mm": what passes lies on the side away from what fails. */
export function limitWords({ passes, fails, unit }: Pick<ProposalCheck, "passes" | "fails" | "unit">): string {
  if (passes === null) return "";
  return `${fails !== null && fails < passes ? "≥" : "≤"} ${words(passes, unit)}`;
}

function Checks({ checks }: { checks: readonly ProposalCheck[] }) {
  if (!checks.length) return null;
  return (
    <table className={styles.table}>
      <thead><tr><th scope="col">Checked</th><th scope="col">Value</th><th scope="col">Limit</th></tr></thead>
      <tbody>
        {checks.map((check) => (
          <tr key={check.quantity + check.subject} data-grade={check.passes === null ? undefined : check.grade} title={check.passes === null ? "Told only" : `${check.grade}; limit: ${check.limit_from}`}>
            <td>{capitalized(check.quantity)}{check.subject && `, ${check.subject}`}</td>
            <td>{words(check.value, check.unit)}{check.before !== null && <small> from {words(check.before, check.unit)}</small>}</td>
            <td>{limitWords(check)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Pictures({ proposal: { job, pictures } }: { proposal: RegistrationProposal }) {
  const database = useWorkspace((state) => state.database);
  const kinds = [...new Set(pictures.map((each) => each.kind))];
  return (
    <div className={styles.pictures}>
      {kinds.map((kind) => (
        <figure key={kind}>
          <div>
            {pictures.map((each, at) => each.kind === kind && (
              <UnstyledButton key={each.view} aria-label={`${kind}, ${each.view}`} onClick={() => { enlarge(`${capitalized(kind)}, ${each.view}`, proposalPicture(job, at, database)); }}>
                <img src={proposalPicture(job, at, database)} alt="" loading="lazy" />
              </UnstyledButton>
            ))}
          </div>
          <figcaption>{capitalized(kind)}</figcaption>
        </figure>
      ))}
    </div>
  );
}

function enlarge(title: string, address: string): void {
  modals.open({ title, size: "auto", children: <img className={styles.large} src={address} alt={title} /> });
}

function askFailed(proposal: RegistrationProposal): void {
  const id = modals.open({
    title: "A registration that failed its check",
    children: <Failed proposal={proposal} close={() => { modals.close(id); }} />,
  });
}

function Failed({ proposal, close }: { proposal: RegistrationProposal; close: () => void }) {
  const [isMeant, setMeant] = useState(false);
  return (
    <form onSubmit={(event) => { event.preventDefault(); close(); void accept(true); }}>
      <Stack gap="md">
        <Text>{sentence(proposal.reason)}</Text>
        <Checkbox label="I know that this registration failed its check" checked={isMeant} data-autofocus onChange={(event) => { setMeant(event.currentTarget.checked); }} />
        <Text size="sm" c="dimmed">Your name, the time and this sentence are kept with the workspace and in the access log.</Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" color="orange" disabled={!isMeant}>Keep it all the same</Button>
        </Group>
      </Stack>
    </form>
  );
}
