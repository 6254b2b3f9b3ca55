import { Button, Tooltip } from "@mantine/core";

import type { Alignment } from "../../api/workstation";
import { When, capitalized, formatDate, sentence as spoken } from "../../ui";
import { useFactsOf, useKnownSeries } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { GRADE_WORDS, reasonOf, seriesWords } from "../model/words";
import { openRegistering } from "../registering/actions";
import { askConsent, isConsentable } from "./consent";
import styles from "./panels.module.css";
import { Section } from "./Section";

/** Why what is overlaid lies there: the path, its grade, who made it, and what was agreed to. */
export function RegistrationPanel() {
  const overlay = useWorkspace((state) => state.doc.overlay?.series);
  const prior = useWorkspace((state) => state.doc.prior?.series);
  const consents = useWorkspace((state) => state.doc.consents);
  const shown = [overlay, prior].filter((series) => series !== undefined);
  return (
    <Section title="Registration">
      {shown.map((series) => <Path key={series} series={series} />)}
      {!shown.length && <p className={styles.note}>Nothing is laid over the base. Choose an overlay.</p>}
      {consents.map(({ what, sentence, by, at_s }) => (
        <p key={`${what} ${String(at_s)}`} className={styles.finding}>
          Agreed by {by || "the reader"}, <When seconds={at_s} />: {sentence}
        </p>
      ))}
      <Button size="compact-sm" variant="default" disabled={overlay === undefined} onClick={() => { openRegistering(); }}>
        Register …
      </Button>
    </Section>
  );
}

function Path({ series }: { series: string }) {
  const known = useKnownSeries(series);
  const facts = useWorkspace((state) => state.facts[series]);
  const problem = useWorkspace((state) => state.problems[series]);
  const { tone, word, sentence } = reasonOf(facts, problem, useFactsOf("base"));
  return (
    <div className={styles.path} data-tone={tone}>
      <div className={styles.pathHead}>
        <b>{word || seriesWords(known)}</b>
        {facts && !problem && <Grade alignment={facts.alignment} />}
      </div>
      <p>{sentence}</p>
      {facts && !problem && <Details alignment={facts.alignment} />}
      {problem && isConsentable(problem) && (
        <Button size="compact-sm" color="orange" variant="light" onClick={() => { askConsent(series, problem); }}>
          Show it all the same …
        </Button>
      )}
    </div>
  );
}

function Grade({ alignment: { grade, grade_reason, kind } }: { alignment: Alignment }) {
  if (!grade || kind !== "registered") return null;
  return (
    <Tooltip label={grade_reason || "Nothing more is told of it."}>
      <span className={styles.grade} data-grade={grade}>{capitalized(GRADE_WORDS[grade])}</span>
    </Tooltip>
  );
}

function Details({ alignment }: { alignment: Alignment }) {
  const { kind, method, by, made, steps, grade_reason, warnings } = alignment;
  if (kind !== "registered") return null;
  const facts: [string, string][] = [
    ["Method", method],
    ["By", by],
    ["Made", formatDate(made.slice(0, 8))],
    ["Checked", grade_reason],
    ["Steps", steps.length > 1 ? `${String(steps.length)}, one after the other` : ""],
  ];
  return (
    <>
      <dl className={styles.facts}>
        {facts.filter(([, value]) => value).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {warnings.map((warning) => <p key={warning} className={styles.finding}>{spoken(warning)}</p>)}
    </>
  );
}
