import { Fragment } from "react";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";

import type { VolumeFacts } from "../../api/workstation";
import { sentence } from "../../ui";
import { viewsOf } from "../model/document";
import { useWorkspace } from "../model/store";
import { seriesWords } from "../model/words";
import styles from "./panels.module.css";
import { Section } from "./Section";

const NUCLEAR = new Set(["PT", "NM"]);

/** The series that could have SUV, with what became of it. */
export function useSuvFacts(): VolumeFacts[] {
  const doc = useWorkspace((state) => state.doc);
  const facts = useWorkspace((state) => state.facts);
  return viewsOf(doc)
    .map((view) => facts[view.series])
    .filter((each) => each !== undefined)
    .filter((each) => each.suv !== null || each.suv_refusal !== "" || NUCLEAR.has(each.Modality));
}

/** Where each SUV comes from. */
export function SuvPanel() {
  const all = useSuvFacts();
  if (!all.length) return null;
  return (
    <Section title="SUV" isOpenAtFirst={false} aside={<SuvSign facts={all} />}>
      {all.map((facts) => <Evidence key={facts.SeriesInstanceUID} facts={facts} isNamed={all.length > 1} />)}
    </Section>
  );
}

/** The worst of all, as a sign and a word. */
export function SuvSign({ facts }: { facts: readonly VolumeFacts[] }) {
  const refused = facts.find((each) => !each.suv);
  const warned = facts.find((each) => each.suv?.warnings.length);
  if (refused) return <span className={styles.sign} data-tone="warn"><IconAlertTriangle size={14} aria-hidden /> No SUV</span>;
  if (warned) return <span className={styles.sign} data-tone="warn"><IconAlertTriangle size={14} aria-hidden /> SUV, with a doubt</span>;
  return <span className={styles.sign} data-tone="good"><IconCheck size={14} aria-hidden /> SUV ok</span>;
}

/** A keyword may be broken between its words. */
function brokenWords(keyword: string) {
  return keyword.split(/(?<=[a-z])(?=[A-Z])/).map((word, at) => <Fragment key={at}>{at > 0 && <wbr />}{word}</Fragment>);
}

function Evidence({ facts, isNamed }: { facts: VolumeFacts; isNamed: boolean }) {
  const { suv, suv_refusal } = facts;
  return (
    <div className={styles.evidence}>
      {isNamed && <b>{seriesWords(facts)}</b>}
      {!suv && <p className={styles.bad}>{suv_refusal || "This series has no SUV."}</p>}
      {suv && (
        <>
          <p>{suv.sentence}</p>
          {suv.warnings.map((warning) => <p key={warning} className={styles.finding}>{sentence(warning)}</p>)}
          <dl className={styles.facts}>
            {suv.rows.map(({ name, value, unit, source }) => (
              <div key={name}>
                <dt>{brokenWords(name)}</dt>
                <dd>
                  {value}{unit && ` ${unit}`}
                  {source && <span className={styles.source}>{source}</span>}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </div>
  );
}
