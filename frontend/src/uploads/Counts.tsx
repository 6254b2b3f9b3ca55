import { Tooltip } from "@mantine/core";

import { formatCount } from "../ui";
import classes from "./Counts.module.css";

export interface Count {
  count: number;
  word: string;
  hint: string;
  is?: "good" | "bad";
}

/** What became of files, as numbers with a word below each. */
export function Counts({ of: counts }: { of: readonly Count[] }) {
  return (
    <dl className={classes.counts} aria-label="What became of the files">
      {counts.map(({ count, word, hint, is }) => (
        <Tooltip key={word} label={hint}>
          <div data-is={is} data-none={count === 0 || undefined}>
            <dd>{formatCount(count)}</dd>
            <dt>{word}</dt>
          </div>
        </Tooltip>
      ))}
    </dl>
  );
}
