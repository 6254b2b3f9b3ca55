import { RegisteringPanel } from "../registering/RegisteringPanel";
import { BurdenPanel } from "../delineating/BurdenPanel";
import { DosePanel } from "../delineating/DosePanel";
import { FollowupPanel } from "../measuring/FollowupPanel";
import { BookmarksPanel } from "./BookmarksPanel";
import { FindingsPanel } from "./FindingsPanel";
import styles from "./panels.module.css";
import { RegistrationPanel } from "./RegistrationPanel";
import { SeriesPanel } from "./SeriesPanel";
import { StructuresPanel } from "./StructuresPanel";
import { SessionsPanel } from "../sessions/SessionsPanel";
import { SuvPanel } from "./SuvPanel";
import { ToolPanel } from "./ToolPanel";

/** What stands at the right of the panes. */
export function Panels() {
  return (
    <aside className={styles.panels} aria-label="Panels">
      <RegisteringPanel />
      <ToolPanel />
      <SeriesPanel />
      <RegistrationPanel />
      <FindingsPanel />
      <FollowupPanel />
      <BurdenPanel />
      <StructuresPanel />
      <DosePanel />
      <SuvPanel />
      <BookmarksPanel />
      <SessionsPanel />
    </aside>
  );
}
