import { ActionIcon, Button, Group, Tooltip } from "@mantine/core";
import { IconArrowBackUp, IconBoxMultiple, IconDisc, IconExternalLink, IconSend, IconTrash, IconUserOff, IconX } from "@tabler/icons-react";
import { useEffect, type ReactNode } from "react";
import { Link } from "react-router-dom";

import { useOhif } from "../../../api/admin";
import type { Study } from "../../../api/types";
import { hasRole, useSession } from "../../../app/session";
import {
  DicomDate,
  PersonName,
  Uid,
  capitalized,
  formatAge,
  formatBytes,
  formatCount,
  formatTime,
  useNow,
} from "../../../ui";
import { workstationPath } from "../../../workstation/path";
import { leavingOf, leavingWords, type Leaving } from "../badges";
import { chosenStudies, type Chosen } from "../chosen";
import { Modalities } from "../columns";
import { ohifPath } from "./ohifPath";
import styles from "./panel.module.css";

interface PatientHeaderProps {
  study: Study;
  database: string;
  onClose: () => void;
  onSend: (chosen: Chosen) => void;
  onExport: (chosen: Chosen) => void;
  onAnonymize: (chosen: Chosen) => void;
  onDelete: (chosen: Chosen) => void;
  onKeep: (job: number) => void;
}

const SEXES: Record<string, string | undefined> = { F: "female", M: "male", O: "other" };

/** Who, what and when, and what can be done with all of it. */
export function PatientHeader({ study, database, onClose, onKeep, ...props }: PatientHeaderProps) {
  const session = useSession();
  const chosen = chosenStudies([study], database);
  const leaving = leavingOf(study.badges);
  return (
    <header className={styles.head}>
      <div className={styles.headRow}>
        <h2 className={styles.name}>
          <PersonName value={study.PatientName} />
        </h2>
        <Tooltip label="Close (Esc)">
          <ActionIcon aria-label="Close the study" onClick={onClose}>
            <IconX size={18} />
          </ActionIcon>
        </Tooltip>
      </div>
      <PatientLine study={study} />
      <div className={styles.what}>
        <Modalities codes={study.ModalitiesInStudy} letters={60} />
        <span className={styles.description}>{study.StudyDescription || <i>No description</i>}</span>
      </div>
      <Facts study={study} />
      {leaving ? (
        <LeavingBar leaving={leaving} onKeep={() => { onKeep(leaving.job); }} />
      ) : (
        <Group gap="sm">
          <OpenButton study={study.StudyInstanceUID} database={database} />
          <OhifButton study={study.StudyInstanceUID} database={database} />
          {hasRole(session, "operator") && (
            <>
              <Button variant="default" leftSection={<IconSend size={16} />} onClick={() => { props.onSend(chosen); }}>
                Send …
              </Button>
              <Button variant="default" leftSection={<IconDisc size={16} />} onClick={() => { props.onExport(chosen); }}>
                Export …
              </Button>
              <Button variant="default" leftSection={<IconUserOff size={16} />} onClick={() => { props.onAnonymize(chosen); }}>
                Anonymize …
              </Button>
              <Button variant="default" leftSection={<IconTrash size={16} />} onClick={() => { props.onDelete(chosen); }}>
                Delete
              </Button>
            </>
          )}
        </Group>
      )}
    </header>
  );
}

/** To where images are read; its files are read before it is pressed. */
function OpenButton({ study, database }: { study: string; database: string }) {
  useEffect(() => {
    void import("../../../workstation/pages/WorkstationPage").catch(() => undefined);
  }, []);
  return (
    <Tooltip label="Open in the workstation (O)">
      <Button component={Link} to={workstationPath(study, database)} leftSection={<IconBoxMultiple size={16} />}>
        Open
      </Button>
    </Tooltip>
  );
}

/** To OHIF, for general reading, where it is installed. */
function OhifButton({ study, database }: { study: string; database: string }) {
  const version = useOhif();
  if (!version) return null;
  return (
    <Tooltip label={`Open in OHIF ${version}, in a window of its own`}>
      <Button
        variant="default"
        component="a"
        href={ohifPath(study, database)}
        target="_blank"
        rel="noopener"
        leftSection={<IconExternalLink size={16} />}
      >
        Open in OHIF
      </Button>
    </Tooltip>
  );
}

function PatientLine({ study }: { study: Study }) {
  const age = formatAge(study.PatientBirthDate, study.StudyDate);
  return (
    <div className={styles.line}>
      {study.PatientID && (
        <span title={study.IssuerOfPatientID ? `Issued by ${study.IssuerOfPatientID}` : "Patient ID"}>
          ID <b>{study.PatientID}</b>
        </span>
      )}
      {study.PatientBirthDate && (
        <span>
          born <DicomDate value={study.PatientBirthDate} />
          {age && `, ${age}`}
        </span>
      )}
      {study.PatientSex && <span>{SEXES[study.PatientSex] ?? study.PatientSex}</span>}
    </div>
  );
}

function Facts({ study }: { study: Study }) {
  const facts: [string, ReactNode][] = [
    [
      "Study",
      (study.StudyDate || study.StudyTime) && (
        <>
          <DicomDate value={study.StudyDate} /> {study.StudyTime && formatTime(study.StudyTime)}
        </>
      ),
    ],
    ["Accession", study.AccessionNumber],
    ["Referring", study.ReferringPhysicianName && <PersonName value={study.ReferringPhysicianName} />],
    [
      "Holds",
      `${formatCount(study.NumberOfStudyRelatedInstances)} instances, ${formatBytes(study.size_bytes)}`,
    ],
    ["UID", <Uid key="uid" value={study.StudyInstanceUID} length={30} />],
  ];
  return (
    <dl className={styles.facts}>
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function LeavingBar({ leaving, onKeep }: { leaving: Leaving; onKeep: () => void }) {
  const now = useNow();
  return (
    <div className={styles.leaving} role="status">
      <IconTrash size={16} aria-hidden />
      <span>{capitalized(leavingWords(leaving, now)).replace(/^Deleted/, "Will be deleted")}</span>
      <Button size="compact-sm" variant="default" leftSection={<IconArrowBackUp size={14} />} onClick={onKeep}>
        Undo
      </Button>
    </div>
  );
}
