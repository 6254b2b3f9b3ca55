import { ActionIcon, Anchor, Button, Progress as Bar } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconChevronDown, IconChevronUp, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router-dom";

import { formatBytes, formatCount, formatCounted, formatDuration, sentence } from "../ui";
import { Counts } from "./Counts";
import { UploadResults } from "./UploadResults";
import { uploads, type Progress } from "./queue";
import { timeLeft } from "./rate";
import styles from "./uploads.module.css";
import { useUploads } from "./useUploads";

const SHOWN_STUDIES = 5;

/** Floats over the page while files are sent, and tells afterwards what became of them. */
export function UploadCard() {
  const progress = useUploads();
  const [isOpen, setOpen] = useState(true);
  if (progress.state === "idle") return null;
  const isRunning = progress.state === "running";
  return (
    <section className={styles.card} aria-label="Upload">
      <header className={styles.head}>
        <Sign progress={progress} />
        <span className={styles.title}>{titleOf(progress)}</span>
        <ActionIcon aria-label={isOpen ? "Fold" : "Unfold"} aria-expanded={isOpen} onClick={() => { setOpen(!isOpen); }}>
          {isOpen ? <IconChevronDown size={16} /> : <IconChevronUp size={16} />}
        </ActionIcon>
        {!isRunning && (
          <ActionIcon aria-label="Close" onClick={() => { uploads.dismiss(); }}>
            <IconX size={16} />
          </ActionIcon>
        )}
      </header>
      {isRunning && (
        <Bar
          value={percentOf(progress)}
          size={4}
          radius={0}
          animated={progress.isLooking}
          aria-label="Sent"
        />
      )}
      {isOpen && (
        <div className={styles.body}>
          {isRunning && <Pace progress={progress} />}
          <Counts of={COUNTS.map(({ name, ...count }) => ({ ...count, count: progress[name] }))} />
          {progress.trouble && <p className={styles.trouble}>{sentence(progress.trouble)}</p>}
          <Studies studies={progress.studies} />
          {Object.entries(progress.findings).map(([kind, count]) => (
            <p key={kind} className={styles.trouble}>{formatCount(count)} × {kind}</p>
          ))}
          <UploadResults results={progress.results} count={progress.refused + progress.ignored} />
        </div>
      )}
    </section>
  );
}

function titleOf(progress: Progress): string {
  const { state, files, done_files, refused, kept, duplicates } = progress;
  if (state === "running") return `Uploading ${formatCount(done_files)} of ${formatCounted(files, "file")}`;
  if (state === "cancelled") return `Cancelled after ${formatCounted(done_files, "file")}`;
  if (kept + duplicates + refused === 0) return `No DICOM in ${formatCounted(files, "file")}`;
  return refused > 0 ? `Uploaded, ${formatCount(refused)} refused` : `Uploaded ${formatCounted(files, "file")}`;
}

export function percentOf({ sent_bytes, bytes, done_files, files }: Progress): number {
  // Sent is not yet kept: the bar is full when the last answer has come.
  const sent = bytes > 0 ? sent_bytes / bytes : 0;
  const done = files > 0 ? done_files / files : 0;
  return Math.round(Math.min(sent * 0.95 + done * 0.05, 1) * 1000) / 10;
}

function Sign({ progress: { state, refused, kept, duplicates } }: { progress: Progress }) {
  if (state === "running") return null;
  const isWell = state === "done" && refused === 0 && kept + duplicates > 0;
  return isWell ? (
    <IconCheck size={18} color="var(--rf-good)" aria-hidden />
  ) : (
    <IconAlertTriangle size={18} color="var(--rf-warn)" aria-hidden />
  );
}

function Pace({ progress }: { progress: Progress }) {
  const { bytes, sent_bytes, bytes_per_s, isLooking } = progress;
  const left = timeLeft(bytes - sent_bytes, bytes_per_s);
  return (
    <div className={styles.pace}>
      <span>
        {formatBytes(sent_bytes)} of {formatBytes(bytes)}
        {bytes_per_s > 0 && `, ${formatBytes(bytes_per_s)}/s`}
        {isLooking ? ", looking through folders …" : left !== null && left >= 1 && `, ${formatDuration(left)} left`}
      </span>
      <Button size="compact-sm" variant="default" onClick={() => { uploads.cancel(); }}>
        Cancel
      </Button>
    </div>
  );
}

const COUNTS = [
  { name: "kept", word: "kept", hint: "New in the archive, on stable storage", is: "good" },
  { name: "duplicates", word: "already there", hint: "The archive has the same object; nothing was changed" },
  { name: "refused", word: "refused", hint: "Not taken; the list below says why", is: "bad" },
  { name: "ignored", word: "no DICOM", hint: "No DICOM object: a text, a picture, a DICOMDIR" },
] as const;

function Studies({ studies }: { studies: readonly string[] }) {
  if (studies.length === 0) return null;
  return (
    <p className={styles.studies}>
      {studies.length === 1 ? "Open the study: " : `In ${formatCount(studies.length)} studies: `}
      {studies.slice(0, SHOWN_STUDIES).map((study, at) => (
        <span key={study}>
          {at > 0 && ", "}
          <Anchor component={Link} to={`/?study=${encodeURIComponent(study)}`} inherit title={study}>
            {studies.length === 1 ? "show" : String(at + 1)}
          </Anchor>
        </span>
      ))}
      {studies.length > SHOWN_STUDIES && " …"}
    </p>
  );
}
