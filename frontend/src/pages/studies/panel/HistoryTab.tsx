import { Anchor, Loader } from "@mantine/core";
import { Link } from "react-router-dom";

import { Empty, ErrorBox, When } from "../../../ui";
import styles from "./panel.module.css";
import { useHistory } from "./reading";

interface HistoryTabProps {
  study: string;
  database: string;
  arrived_s: number;
}

/** Who did what with the study, the newest first. */
export function HistoryTab({ study, database, arrived_s }: HistoryTabProps) {
  const { data, error, refetch } = useHistory({ study, database });
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loader size={16} />;
  if (data.length === 0) {
    return (
      <Empty title="Nothing but its arrival">
        The first of it arrived <When seconds={arrived_s} />; since then nobody sent or viewed it.
      </Empty>
    );
  }
  return (
    <ol className={styles.history}>
      {data.map((entry, at) => (
        <li key={at}>
          <span className={styles.historyWhat}>{entry.what}</span>
          <span className={styles.historyWhen}>
            <When seconds={entry.time_s} />
            {entry.user && ` · ${entry.user}`}
            {entry.job !== null && (
              <>
                {" · "}
                <Anchor component={Link} to={`/jobs/${String(entry.job)}`} inherit>
                  job {entry.job}
                </Anchor>
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
