import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

import type { ImportReport } from "../../../api/media";
import { capitalized, formatCount, sentence } from "../../../ui";
import { Counts } from "../../../uploads/Counts";
import styles from "./media.module.css";

const COUNTS = [
  { name: "taken", word: "taken", hint: "New in the archive, on stable storage", is: "good" },
  { name: "already_there", word: "already there", hint: "The archive had them; nothing was changed" },
  { name: "refused", word: "refused", hint: "Not taken; the list below says why", is: "bad" },
  { name: "ignored", word: "no DICOM", hint: "No DICOM object: a text, a picture, a DICOMDIR" },
] as const;

/** What became of the files of an import, and what is wrong with the media. */
export function ReportOfImport({ report }: { report: ImportReport }) {
  return (
    <>
      <Files report={report} />
      <Findings report={report} />
      <Refused report={report} />
    </>
  );
}

function Files({ report }: { report: ImportReport }) {
  return (
    <div>
      <Counts of={COUNTS.map(({ name, ...count }) => ({ ...count, count: report[name] }))} />
      {report.from_before > 0 && (
        <Text size="xs" c="dimmed" mt={4}>{formatCount(report.from_before)} of them were done before the import was interrupted.</Text>
      )}
    </div>
  );
}

function Findings({ report: { findings, finding_sentences } }: { report: ImportReport }) {
  if (findings.length === 0) return null;
  const total = findings.reduce((sum, { count }) => sum + count, 0);
  return (
    <Alert color="yellow" icon={<IconAlertTriangle size={18} />} p={8} title="Wrong with the media">
      <ul className={styles.lines}>
        {findings.map(({ kind, count }) => <li key={kind}><b>{formatCount(count)} ×</b> {kind}</li>)}
      </ul>
      <details>
        <summary>Show {finding_sentences.length < total ? `the first ${formatCount(finding_sentences.length)}` : "each"}</summary>
        <ul className={styles.files}>
          {finding_sentences.map((each, at) => <li key={at}>{sentence(each)}</li>)}
        </ul>
      </details>
    </Alert>
  );
}

function Refused({ report: { refused, refused_files } }: { report: ImportReport }) {
  if (refused_files.length === 0) return null;
  return (
    <section aria-label="Refused files">
      <Text size="sm" fw={600} mb={4}>Refused</Text>
      <ul className={styles.files}>
        {refused_files.map(({ name, reason }) => (
          <li key={name}><code>{name}</code>: {capitalized(reason)}</li>
        ))}
        {refused > refused_files.length && <li>… and {formatCount(refused - refused_files.length)} more.</li>}
      </ul>
    </section>
  );
}
