import { ActionIcon, Checkbox, Loader } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { DicomDate, ErrorBox, formatAge, formatCount, formatTime, ModalityBadge, PersonName } from "../../ui";
import { ImageCount } from "./ImageCount";
import { nameOfChosen, type Chosen } from "./form";
import { Here } from "./Here";
import classes from "./query.module.css";
import { RetrieveCell } from "./RetrieveCell";
import { modalitiesOf, numberOf, type Row } from "./rows";
import type { Answer } from "./search";

export interface ResultRowProps {
  id: string;
  row: Row;
  peer: string;
  jobs: Record<string, number>;
  isCursor: boolean;
  isChosen: boolean;
  mayRetrieve: boolean;
  onOpen: (study: string) => void;
  onToggle: (chosen: Chosen) => void;
  onRetrieve: (chosen: Chosen[]) => void;
}

export function ResultRow(props: ResultRowProps) {
  const { row } = props;
  switch (row.kind) {
    case "study":
      return <StudyRow {...props} row={row} />;
    case "series":
      return <SeriesRow {...props} row={row} />;
    case "loading":
      return <div className={classes.note}><Loader size={14} /> Asking for the series…</div>;
    case "nothing":
      return <div className={classes.note}>The peer tells of no series in this study.</div>;
    case "error":
      return <div className={classes.fault}><ErrorBox error={row.error} /></div>;
  }
}

function Box({ label, isChosen, onToggle }: { label: string; isChosen: boolean; onToggle: () => void }) {
  return (
    <span role="gridcell" onClick={(event) => { event.stopPropagation(); }}>
      <Checkbox size="xs" tabIndex={-1} aria-label={label} checked={isChosen} onChange={onToggle} />
    </span>
  );
}

function StudyRow(props: ResultRowProps & { row: Row & { kind: "study" } }) {
  const { row, isChosen, mayRetrieve } = props;
  const { answer, study } = row;
  const one = { study };
  const images = numberOf(answer.NumberOfStudyRelatedInstances);
  return (
    <div
      id={props.id}
      role="row"
      aria-level={1}
      aria-expanded={row.isOpen}
      className={classes.study}
      data-cursor={props.isCursor || undefined}
      data-chosen={isChosen || undefined}
      onClick={() => {
        props.onOpen(study);
      }}
    >
      {mayRetrieve && <Box label="Choose this study" isChosen={isChosen} onToggle={() => { props.onToggle(one); }} />}
      <span role="gridcell">
        <ActionIcon size={20} tabIndex={-1} aria-label={row.isOpen ? "Hide the series" : "Show the series"}>
          <IconChevronRight size={16} className={classes.chevron} data-open={row.isOpen || undefined} />
        </ActionIcon>
      </span>
      <Two top={<PersonName value={answer.PatientName ?? ""} />} below={patientLine(answer)} isStrong />
      <Two top={<DicomDate value={answer.StudyDate ?? ""} />} below={formatTime(answer.StudyTime ?? "")} />
      <Two top={answer.StudyDescription || <i className={classes.dim}>no description</i>} below={accession(answer)} />
      <span role="gridcell" className={classes.modalities}>
        {modalitiesOf(answer).map((modality) => <ModalityBadge key={modality} modality={modality} />)}
      </span>
      <span role="gridcell" className={classes.seriesCount}>{count(numberOf(answer.NumberOfStudyRelatedSeries))}</span>
      <span role="gridcell" className={classes.number}>{count(images)}</span>
      <span role="gridcell"><Here study={study} there={images} /></span>
      <span role="gridcell" className={classes.action}>
        <RetrieveCell
          jobId={props.jobs[nameOfChosen(one)]}
          mayRetrieve={mayRetrieve && study !== ""}
          label="Retrieve this study"
          onRetrieve={() => { props.onRetrieve([one]); }}
        />
      </span>
    </div>
  );
}

function SeriesRow(props: ResultRowProps & { row: Row & { kind: "series" } }) {
  const { row, isChosen, mayRetrieve } = props;
  const { answer, study, series } = row;
  const one = { study, series };
  return (
    <div
      id={props.id}
      role="row"
      aria-level={2}
      className={classes.series}
      data-cursor={props.isCursor || undefined}
      data-chosen={isChosen || undefined}
    >
      {mayRetrieve && <Box label="Choose this series" isChosen={isChosen} onToggle={() => { props.onToggle(one); }} />}
      <span />
      <span role="gridcell" className={classes.seriesName}>
        <span className={classes.seriesNumber}>{answer.SeriesNumber}</span>
        <ModalityBadge modality={answer.Modality ?? ""} />
        <span className={classes.cut} title={answer.SeriesDescription}>
          {answer.SeriesDescription || <i className={classes.dim}>no description</i>}
        </span>
        <span className={classes.dim}>{answer.BodyPartExamined}</span>
      </span>
      <span role="gridcell" className={classes.seriesImages}>
        <ImageCount peer={props.peer} study={study} series={series} told={numberOf(answer.NumberOfSeriesRelatedInstances)} />
      </span>
      <span role="gridcell" className={classes.action}>
        <RetrieveCell
          jobId={props.jobs[nameOfChosen(one)] ?? props.jobs[study]}
          mayRetrieve={mayRetrieve && series !== ""}
          label="Retrieve this series"
          onRetrieve={() => { props.onRetrieve([one]); }}
        />
      </span>
    </div>
  );
}

function Two({ top, below, isStrong }: { top: ReactNode; below: ReactNode; isStrong?: boolean }) {
  return (
    <span role="gridcell" className={classes.two}>
      <span className={classes.cut} data-strong={isStrong || undefined}>{top}</span>
      <span className={classes.below}>{below}</span>
    </span>
  );
}

function patientLine(answer: Answer): string {
  const age = formatAge(answer.PatientBirthDate ?? "", answer.StudyDate ?? "");
  return [answer.PatientID, answer.PatientSex, age].filter(Boolean).join(" · ");
}

function accession(answer: Answer): string {
  return answer.AccessionNumber ? `Acc. ${answer.AccessionNumber}` : "";
}

/** A peer need not tell (PS3.4 section C.3.4): an unknown number is no 0. */
function count(value: number | null): ReactNode {
  return value === null ? <span className={classes.dim} title="The peer does not tell">–</span> : formatCount(value);
}
