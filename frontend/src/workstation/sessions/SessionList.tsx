import { Tooltip } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import type { KeptSession } from "../../api/workstation";
import { DicomDate } from "../../ui";
import { formatCounted, formatTime } from "../../ui/format";
import { sessionPath } from "../path";
import styles from "./sessions.module.css";

/** Versions that a newer one follows are not offered first: they stand below it. */
export function ordered(sessions: readonly KeptSession[]): { newest: KeptSession; older: KeptSession[] }[] {
  const replaced = new Set(sessions.map((each) => each.predecessor));
  const byUid = new Map(sessions.map((each) => [each.SOPInstanceUID, each]));
  return sessions.filter((each) => !replaced.has(each.SOPInstanceUID)).map((newest) => {
    const older: KeptSession[] = [];
    for (let at = byUid.get(newest.predecessor); at && !older.includes(at); at = byUid.get(at.predecessor)) older.push(at);
    return { newest, older };
  });
}

interface SessionListProps {
  sessions: readonly KeptSession[];
  database: string;
}

export function SessionList({ sessions, database }: SessionListProps) {
  return (
    <ul className={styles.list}>
      {ordered(sessions).map(({ newest, older }) => (
        <li key={newest.SOPInstanceUID}>
          <SessionRow session={newest} database={database} />
          {older.length > 0 && (
            <details className={styles.older}>
              <summary>{formatCounted(older.length, "earlier version")}</summary>
              {older.map((each) => <SessionRow key={each.SOPInstanceUID} session={each} database={database} />)}
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

function SessionRow({ session, database }: { session: KeptSession; database: string }) {
  const { name, note, made, by, version, is_ours, missing, objects } = session;
  return (
    <div className={styles.row}>
      <div className={styles.words}>
        <b title={name}>{name}</b> {is_ours ? <span className={styles.quiet}>v{version}</span> : <span className={styles.quiet}>key objects</span>}
        {missing > 0 && (
          <Tooltip label={`${String(missing)} of its ${String(objects)} objects are not here: the rest opens`}>
            <IconAlertTriangle size={14} className={styles.warn} aria-label="Incomplete" />
          </Tooltip>
        )}
        <div className={styles.quiet}>
          <DicomDate value={made.slice(0, 8)} /> {made.length > 8 && formatTime(made.slice(8, 14))}{by && `, ${by}`}
        </div>
        {note && <div className={styles.note}>{note}</div>}
      </div>
      <Link to={sessionPath(session.StudyInstanceUID, database, session.SOPInstanceUID)} className={styles.open ?? ""}>Open</Link>
    </div>
  );
}
