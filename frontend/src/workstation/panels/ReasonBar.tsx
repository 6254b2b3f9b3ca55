import { IconAlertTriangle, IconBan, IconCheck, IconLink, IconMinus, type Icon } from "@tabler/icons-react";

import { useFactsOf } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { reasonOf, type Tone } from "../model/words";
import styles from "./reason.module.css";

const ICONS: Record<Tone, Icon> = {
  good: IconCheck,
  info: IconLink,
  warn: IconAlertTriangle,
  bad: IconBan,
  quiet: IconMinus,
};

/** Why the series lies where it is shown: under every pane, never hidden. */
export function ReasonBar({ series }: { series: string | null | undefined }) {
  const facts = useWorkspace((state) => (series ? state.facts[series] : undefined));
  const problem = useWorkspace((state) => (series ? state.problems[series] : undefined));
  const base = useFactsOf("base");
  const placed = useWorkspace((state) => (state.placed && state.placed.series === series ? state.placed.words : ""));
  if (!series) return <div className={styles.bar} data-tone="quiet" />;
  const { tone, word, sentence } = placed ? { tone: "warn" as const, word: "Being registered", sentence: placed } : reasonOf(facts, problem, base);
  const Sign = ICONS[tone];
  return (
    <div className={styles.bar} data-tone={tone} title={[word, sentence].filter(Boolean).join(": ")}>
      <Sign size={14} stroke={2} aria-hidden />
      {word && <b>{word}</b>}
      <span className={styles.sentence}>{sentence}</span>
    </div>
  );
}
