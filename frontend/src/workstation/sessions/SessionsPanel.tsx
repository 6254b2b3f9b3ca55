import { useSessions } from "../../api/sessions";
import { useWorkspace } from "../model/store";
import { Section } from "../panels/Section";
import { SessionList } from "./SessionList";

/** The saved sessions of the study, to go back to. */
export function SessionsPanel() {
  const study = useWorkspace((state) => state.study);
  const database = useWorkspace((state) => state.database);
  const { data } = useSessions(study, database);
  if (!data?.length) return null;
  return (
    <Section title="Sessions" aside={data.length}>
      <SessionList sessions={data} database={database} />
    </Section>
  );
}
