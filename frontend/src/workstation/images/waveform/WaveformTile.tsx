import { Loader, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { readSamples, readWaveform, type WaveformAnnotation, type WaveformFacts } from "../../../api/documents";
import { ErrorBox, sentence, useKeys } from "../../../ui";
import styles from "../images.module.css";
import type { Placed } from "../model";
import { OneObject } from "../OneObject";
import { formatsOf, rhythmOf, rowsOf, stripsOf, type Format } from "./paper";
import { Paper } from "./Paper";

/** On the paper at once. */
const PAGE_S = 10;
const SPEEDS = ["12.5", "25", "50"];
const GAINS = ["5", "10", "20"];

/** Recordings of a series: an ECG, to scale. */
export function WaveformTile({ placed, isActive }: { placed: Placed; isActive: boolean }) {
  return (
    <OneObject placed={placed} kind="waveforms" read={readWaveform}>
      {(facts, database, instance) => <Recording key={instance} facts={facts} database={database} isActive={isActive} />}
    </OneObject>
  );
}

function Recording({ facts, database, isActive }: { facts: WaveformFacts; database: string; isActive: boolean }) {
  const [at, setGroup] = useState(0);
  const [from_s, setFrom] = useState(0);
  const [format, setFormat] = useState<Format>("rows");
  const [speed, setSpeed] = useState("25");
  const [gain, setGain] = useState("10");
  const group = facts.groups[at] ?? facts.groups[0];
  const seconds = group ? group.samples / group.frequency_hz : 0;
  const samples = useQuery({
    queryKey: ["waveforms", facts.SOPInstanceUID, database, at, from_s],
    queryFn: ({ signal }) => readSamples(facts.SOPInstanceUID, { group: at, from_s, seconds: PAGE_S }, database, signal),
    staleTime: Infinity,
    placeholderData: (before) => before,
  });
  const turn = (by: number) => { setFrom((now) => Math.min(Math.max(now + by, 0), Math.max(seconds - PAGE_S, 0))); };
  const key = (keys: string, label: string, by: number) => ({ keys, label, group: "Images", run: () => { turn(by); } });
  useKeys(isActive && seconds > PAGE_S ? [key("ArrowRight", "On in the recording", 5), key("ArrowLeft", "Back in the recording", -5)] : []);
  if (!group) return null;

  const formats = formatsOf(group.channels.length);
  const plan = formats.find((each) => each.value === format) ?? formats[0];
  if (!plan) return null;
  const page_s = Math.min(PAGE_S, seconds);
  const strips = stripsOf(plan, group.channels.length, page_s, rhythmOf(group.channels));
  const groups = facts.groups.map((each, number) => ({ value: String(number), label: each.label || `Group ${String(number + 1)}` }));
  return (
    <>
      <Notes annotations={facts.annotations} findings={facts.findings} group={at} />
      {samples.error ? (
        <ErrorBox error={samples.error} />
      ) : samples.data ? (
        <Paper {...{ group, plan, strips }} values={samples.data} rows={rowsOf(plan, group.channels.length)} page_s={page_s} speed_mm_per_s={Number(speed)} gain_mm_per_mv={Number(gain)} />
      ) : (
        <Loader size="sm" m="md" aria-label="Being read" />
      )}
      <div className={styles.controls}>
        {groups.length > 1 && <Choice name="Group" value={String(at)} data={groups} onChange={(next) => { setGroup(Number(next)); setFrom(0); }} />}
        {formats.length > 1 && <Choice name="Format" value={plan.value} data={formats} onChange={(next) => { setFormat(next as Format); }} />}
        <Choice name="Speed" value={speed} data={SPEEDS.map((value) => ({ value, label: `${value} mm/s` }))} onChange={setSpeed} />
        <Choice name="Gain" value={gain} data={GAINS.map((value) => ({ value, label: `${value} mm/mV` }))} onChange={setGain} />
        <span className={styles.grow} />
        <span className={styles.quiet}>
          {seconds > PAGE_S ? `${from_s.toFixed(0)} to ${(from_s + page_s).toFixed(0)} of ${seconds.toFixed(0)} s` : `${seconds.toFixed(1)} s`}, {group.frequency_hz} Hz{filterWords(group.channels[0])}
        </span>
      </div>
    </>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  data: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

function Choice({ name, value, data, onChange }: ChoiceProps) {
  return (
    <Select
      size="xs" w={name === "Format" ? 160 : 112} aria-label={name} allowDeselect={false} comboboxProps={{ position: "top" }}
      data={data.map((each) => ({ value: each.value, label: each.label }))} value={value} onChange={(next) => { if (next) onChange(next); }}
    />
  );
}

function filterWords(channel: { low_hz: number | null; high_hz: number | null } | undefined): string {
  const { low_hz = null, high_hz = null } = channel ?? {};
  return low_hz === null && high_hz === null ? "" : `, filtered ${String(low_hz ?? 0)} to ${String(high_hz ?? "∞")} Hz`;
}

/** Statements first, then what was measured; marks in time are not told. */
function Notes({ annotations, findings, group }: { annotations: WaveformAnnotation[]; findings: string[]; group: number }) {
  const said = annotations.filter((each) => each.value && !each.at_s.length && (each.group === null || each.group === group));
  const words = said.map(({ name, value, unit }) => [name, value, unit].filter(Boolean).join(" "));
  if (!words.length && !findings.length) return null;
  return (
    <ul className={styles.notes}>
      {words.map((each, at) => <li key={`${String(at)} ${each}`}>{each}</li>)}
      {findings.map((each) => <li key={each} className={styles.warning}>{sentence(each)}</li>)}
    </ul>
  );
}
