/** What is going to be sent or deleted: what the service takes, and what people are told of it. */
import type { Instance, Selection, Series, Study } from "../../api/types";
import { formatBytes, formatCounted, formatDate, formatName } from "../../ui";

export interface Chosen {
  selection: Selection;
  /** "the study of DOE, Jane of 5 Jan 2026", "3 studies". */
  what: string;
  studies: number;
  series: number;
  instances: number;
  size_bytes: number;
}

function ofDatabase(selection: Selection, database: string): Selection {
  return database ? { ...selection, database } : selection;
}

export function chosenStudies(studies: readonly Study[], database: string): Chosen {
  const [first] = studies;
  const what =
    first && studies.length === 1
      ? `the study of ${formatName(first.PatientName) || first.PatientID || "an unnamed patient"}${first.StudyDate && ` of ${formatDate(first.StudyDate)}`}`
      : formatCounted(studies.length, "study", "studies");
  return {
    selection: ofDatabase({ studies: studies.map((study) => study.StudyInstanceUID) }, database),
    what,
    studies: studies.length,
    series: sum(studies.map((study) => study.NumberOfStudyRelatedSeries)),
    instances: sum(studies.map((study) => study.NumberOfStudyRelatedInstances)),
    size_bytes: sum(studies.map((study) => study.size_bytes)),
  };
}

export function chosenSeries(study: string, series: Series, database: string): Chosen {
  return {
    selection: ofDatabase({ series: [{ study, series: series.SeriesInstanceUID }] }, database),
    what: `the series ${series.SeriesDescription || series.SeriesNumber || series.Modality}`,
    studies: 0,
    series: 1,
    instances: series.NumberOfSeriesRelatedInstances,
    size_bytes: series.size_bytes,
  };
}

export function chosenInstance(study: string, series: string, instance: Instance, database: string): Chosen {
  const of = { study, series, instance: instance.SOPInstanceUID };
  return {
    selection: ofDatabase({ instances: [of] }, database),
    what: `instance ${instance.InstanceNumber || "without number"}`,
    studies: 0,
    series: 0,
    instances: 1,
    size_bytes: instance.size_bytes,
  };
}

/** "3 studies, 12 series, 2,130 images, 1.2 GB" */
export function amountOf(chosen: Chosen): string {
  return [
    chosen.studies > 0 && formatCounted(chosen.studies, "study", "studies"),
    chosen.series > 0 && formatCounted(chosen.series, "series", "series"),
    formatCounted(chosen.instances, "instance"),
    formatBytes(chosen.size_bytes),
  ]
    .filter(Boolean)
    .join(", ");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
