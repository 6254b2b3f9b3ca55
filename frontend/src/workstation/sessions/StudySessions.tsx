import type { Study } from "../../api/types";
import { useSessions } from "../../api/sessions";
import { SessionList } from "./SessionList";
import styles from "./sessions.module.css";

/** The saved sessions of a study, where it has any; studies without key objects are not asked. */
export function StudySessions({ study, database }: { study: Study; database: string }) {
  const { data } = useSessions(study.StudyInstanceUID, database, study.ModalitiesInStudy.includes("KO"));
  if (!data?.length) return null;
  return (
    <section className={styles.ofStudy} aria-label="Sessions">
      <h3>Sessions</h3>
      <SessionList sessions={data} database={database} />
    </section>
  );
}
