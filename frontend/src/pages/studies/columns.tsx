/** The columns of the study list: what stands in each, and what the service sorts by. */
import type { ReactNode } from "react";

import type { StudySort } from "../../api/studies";
import type { Study } from "../../api/types";
import {
  DicomDate,
  ModalityBadge,
  PersonName,
  When,
  formatAge,
  formatBytes,
  formatCount,
  formatTime,
  imagesFirst,
} from "../../ui";
import { BadgeList } from "./BadgeList";
import type { ColumnShape } from "./columnState";
import styles from "./studies.module.css";

export interface Column extends ColumnShape {
  header: string;
  /** What the header is short for. */
  hint?: string;
  sort?: StudySort;
  isNumber?: boolean;
  cell: (study: Study) => ReactNode;
}

/** Two letters fit three times into the column; a long one takes the place of two. */
const SHOWN_LETTERS = 8;

function Born({ study }: { study: Study }) {
  const age = formatAge(study.PatientBirthDate, study.StudyDate);
  return (
    <>
      <DicomDate value={study.PatientBirthDate} isTabular />
      {age && (
        <span className={styles.quiet} title="Age on the day of the study">
          {` ${age}`}
        </span>
      )}
    </>
  );
}

function Studied({ study }: { study: Study }) {
  return (
    <>
      <DicomDate value={study.StudyDate} isTabular />
      {study.StudyTime && (
        <span className={styles.quiet} title={formatTime(study.StudyTime)}>
          {` ${shortTime(study.StudyTime)}`}
        </span>
      )}
    </>
  );
}

/** The first of the codes that have room together, at least one. */
export function fittingCodes(codes: readonly string[], letters: number): readonly string[] {
  const used = (count: number) => codes.slice(0, count).reduce((sum, code) => sum + code.length + 1, 0);
  const room = letters + 1;
  if (used(codes.length) <= room) return codes;
  let count = codes.length - 1;
  // "+2" takes room as well.
  while (count > 1 && used(count) + 2 > room) count -= 1;
  return codes.slice(0, count);
}

/** "094500.12" -> "09:45": in a column the clock of 24 hours, which needs no AM and PM. */
export function shortTime(value: string): string {
  const match = /^(\d{2}):?(\d{2})/.exec(value.trim());
  return match ? `${match[1] ?? ""}:${match[2] ?? ""}` : value;
}

export function Modalities({ codes, letters = SHOWN_LETTERS }: { codes: string[]; letters?: number }) {
  const shown = fittingCodes(imagesFirst(codes), letters);
  return (
    <span className={styles.modalities} title={codes.join(", ")}>
      {shown.map((code) => (
        <ModalityBadge key={code} modality={code} />
      ))}
      {shown.length < codes.length && <span className={styles.quiet}>+{codes.length - shown.length}</span>}
    </span>
  );
}

export const COLUMNS: readonly Column[] = [
  {
    id: "patient",
    header: "Patient",
    width_px: 200,
    min_px: 160,
    grows: 2,
    sort: "name",
    cell: (study) => <PersonName value={study.PatientName} />,
  },
  {
    id: "id",
    header: "Patient ID",
    width_px: 128,
    min_px: 104,
    grows: 1,
    leaves: 2,
    cell: (study) => <span title={study.PatientID}>{study.PatientID}</span>,
  },
  {
    id: "born",
    header: "Born",
    width_px: 152,
    min_px: 110,
    leaves: 4,
    cell: (study) => <Born study={study} />,
  },
  { id: "sex", header: "Sex", width_px: 48, min_px: 44, leaves: 6, cell: (study) => study.PatientSex },
  {
    id: "date",
    header: "Study date",
    width_px: 158,
    min_px: 154,
    sort: "date",
    cell: (study) => <Studied study={study} />,
  },
  {
    id: "description",
    header: "Description",
    width_px: 260,
    min_px: 180,
    grows: 4,
    cell: (study) => <span title={study.StudyDescription}>{study.StudyDescription}</span>,
  },
  {
    id: "modalities",
    header: "Modalities",
    width_px: 112,
    min_px: 106,
    cell: (study) => <Modalities codes={study.ModalitiesInStudy} />,
  },
  {
    id: "accession",
    header: "Accession",
    hint: "Accession number",
    width_px: 120,
    min_px: 96,
    grows: 1,
    leaves: 8,
    cell: (study) => <span title={study.AccessionNumber}>{study.AccessionNumber}</span>,
  },
  {
    id: "counts",
    header: "Series / images",
    hint: "Series and instances in the study",
    width_px: 116,
    min_px: 112,
    isNumber: true,
    leaves: 7,
    cell: (study) => (
      <>
        <span className={styles.quiet}>{formatCount(study.NumberOfStudyRelatedSeries)} / </span>
        {formatCount(study.NumberOfStudyRelatedInstances)}
      </>
    ),
  },
  {
    id: "size",
    header: "Size",
    width_px: 84,
    min_px: 76,
    isNumber: true,
    leaves: 9,
    cell: (study) => formatBytes(study.size_bytes),
  },
  {
    id: "arrived",
    header: "Arrived",
    width_px: 108,
    min_px: 100,
    sort: "arrival",
    leaves: 5,
    cell: (study) => <When seconds={study.last_arrived_s} />,
  },
  {
    id: "referring",
    header: "Referring",
    hint: "Referring physician",
    width_px: 140,
    min_px: 100,
    grows: 1,
    isExtra: true,
    leaves: 10,
    cell: (study) => study.ReferringPhysicianName && <PersonName value={study.ReferringPhysicianName} />,
  },
  {
    id: "state",
    header: "State",
    width_px: 136,
    min_px: 122,
    leaves: 3,
    cell: (study) => <BadgeList badges={study.badges} />,
  },
];
