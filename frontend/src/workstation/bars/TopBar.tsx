import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconArrowForwardUp, IconChevronLeft, IconHelp, IconPackageExport } from "@tabler/icons-react";
import { Link, useNavigate } from "react-router-dom";

import { openHelp } from "../../app/Help";
import { Logo } from "../../app/Logo";
import { hasRole, useSession } from "../../app/session";
import { DicomDate, PersonName, formatAge } from "../../ui";
import { useWorkspace } from "../model/store";
import { openExport } from "../exporting/ExportSheet";
import { leave } from "../sessions/LeaveDialog";
import { SuvSign, useSuvFacts } from "../panels/SuvPanel";
import { AddSeries } from "./AddSeries";
import styles from "./bars.module.css";
import { SeriesChips } from "./SeriesChips";

/** Who is on the screen, which series are open, and whether the numbers are SUV. */
export function TopBar() {
  const study = useWorkspace((state) => state.study);
  const suv = useSuvFacts();
  const navigate = useNavigate();
  const canSave = hasRole(useSession(), "operator");
  const back = `/?study=${study}`;
  return (
    <header className={styles.top}>
      <Tooltip label="Back to the studies">
        <Link
          to={back} className={styles.back ?? ""} aria-label="Back to the studies"
          onClick={(event) => {
            event.preventDefault();
            leave({ canSave, go: () => { void navigate(back); } });
          }}
        >
          <IconChevronLeft size={16} aria-hidden />
          <Logo size={22} />
        </Link>
      </Tooltip>
      <Patient />
      <SeriesChips />
      <AddSeries />
      <span className={styles.grow} />
      {suv.length > 0 && <span className={styles.suv}><SuvSign facts={suv} /></span>}
      <Tooltip label="Radfuse is no medical device: what it shows and measures is for research, training and second looks.">
        <span className={styles.notice}>Not for diagnosis</span>
      </Tooltip>
      <UndoRedo />
      <Tooltip label={canSave ? "As objects to the archive, to peers, or as files (Shift+E)" : "Exporting needs an operator"}>
        <Button
          size="compact-sm" variant="default" leftSection={<IconPackageExport size={15} />}
          data-disabled={!canSave || undefined} aria-disabled={!canSave} onClick={() => { if (canSave) openExport(); }}
        >
          Export
        </Button>
      </Tooltip>
      <Tooltip label="Keyboard shortcuts (?)">
        <ActionIcon aria-label="Keyboard shortcuts" onClick={openHelp}><IconHelp size={18} /></ActionIcon>
      </Tooltip>
    </header>
  );
}

const SEXES: Record<string, string | undefined> = { F: "female", M: "male", O: "other" };

function Patient() {
  const opening = useWorkspace((state) => state.opening);
  if (!opening) return <div className={styles.patient} />;
  const { PatientName, PatientID, PatientBirthDate, PatientSex, studies } = opening;
  const age = formatAge(PatientBirthDate, studies[0]?.StudyDate ?? "");
  return (
    <div className={styles.patient}>
      <h1><PersonName value={PatientName} /></h1>
      <span className={styles.quiet}>
        {PatientBirthDate && <>born <DicomDate value={PatientBirthDate} />{age && `, ${age}`}{" · "}</>}
        {PatientSex && `${SEXES[PatientSex] ?? PatientSex} · `}
        {PatientID ? `ID ${PatientID}` : "no ID"}
      </span>
    </div>
  );
}

function UndoRedo() {
  const { undo, redo } = useWorkspace.getState();
  const canUndo = useWorkspace((state) => state.history.past.length > 0);
  const canRedo = useWorkspace((state) => state.history.future.length > 0);
  return (
    <>
      <Tooltip label="Undo (Z)">
        <ActionIcon aria-label="Undo" disabled={!canUndo} onClick={undo}><IconArrowBackUp size={18} /></ActionIcon>
      </Tooltip>
      <Tooltip label="Redo (Shift+Z)">
        <ActionIcon aria-label="Redo" disabled={!canRedo} onClick={redo}><IconArrowForwardUp size={18} /></ActionIcon>
      </Tooltip>
    </>
  );
}
