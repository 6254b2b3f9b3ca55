import { UnstyledButton } from "@mantine/core";
import { IconX } from "@tabler/icons-react";

import type { StudySearch } from "../../api/studies";
import type { StudyPage } from "../../api/types";
import { formatCounted } from "../../ui";
import styles from "./studies.module.css";
import { without } from "./words";

interface StatusLineProps {
  search: StudySearch;
  understood: StudyPage["understood"];
  count: number;
  isComplete: boolean;
  onSearch: (q: string) => void;
}

const ORDERS: Record<StudySearch["sort"], Record<StudySearch["order"], string>> = {
  date: { desc: "newest study first", asc: "oldest study first" },
  name: { asc: "by name", desc: "by name, Z to A" },
  arrival: { desc: "last arrived first", asc: "first arrived first" },
};

/** What most words are taken for is too long for a chip; all of it shows on hover. */
const SHORT: Record<string, string | undefined> = {
  "name, ID, accession number or description": "any field",
  "UID of a study, series or instance": "UID",
};

/** How the search was understood, and how much it found. */
export function StatusLine({ search, understood, count, isComplete, onSearch }: StatusLineProps) {
  return (
    <div className={styles.statusLine}>
      <div className={styles.chips}>
        {search.q && understood.length > 0
          ? understood.map(({ text, meaning }, at) => (
              <span key={`${String(at)} ${text}`} className={styles.chip} title={`${text}: ${meaning}`}>
                <Meaning text={text} meaning={SHORT[meaning] ?? meaning} />
                <UnstyledButton
                  className={styles.chipRemove}
                  aria-label={`Search without ${text}`}
                  onClick={() => { onSearch(without(search.q, text)); }}
                >
                  <IconX size={12} />
                </UnstyledButton>
              </span>
            ))
          : !search.q && <span className={styles.quiet}>All studies</span>}
      </div>
      <span className={styles.count} role="status">
        {count > 0 && `${formatCounted(count, "study", "studies")}${isComplete ? "" : " so far"}, `}
        {count > 0 && ORDERS[search.sort][search.order]}
      </span>
    </div>
  );
}

/** "any field doe"; what says the word itself is enough: "studied in 2025". */
function Meaning({ text, meaning }: { text: string; meaning: string }) {
  if (meaning.toLowerCase().includes(text.toLowerCase())) return <b>{meaning}</b>;
  return (
    <>
      <span className={styles.quiet}>{meaning}</span>
      <b>{text}</b>
    </>
  );
}
