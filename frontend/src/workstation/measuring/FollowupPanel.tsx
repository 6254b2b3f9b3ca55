import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { followUp, followupKeys, readFollowups, readPriors } from "../../api/followups";
import { useJob } from "../../api/jobs";
import type { FollowedLesion, FollowupTable, PriorSeries } from "../../api/workstation";
import { ErrorBox, failed, formatDate, sentence } from "../../ui";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import styles from "../panels/panels.module.css";
import { Section } from "../panels/Section";
import { percentWords } from "./words";

const OPEN: readonly string[] = ["queued", "running", "paused", "waiting"];
/** What stands in the table; the rest is in the report. */
const SHOWN = ["Max", "Volume", "TLG"];

/** What became of the prior's lesions, and comparing with a prior; nothing where there is none. */
export function FollowupPanel() {
  const study = useWorkspace((state) => state.study);
  const database = useWorkspace((state) => state.database);
  const measured = useWorkspace(({ doc }) => (doc.overlay ?? doc.base)?.series ?? "");
  const chosen = useWorkspace(({ doc }) => doc.prior?.series);
  const priors = useQuery({
    queryKey: followupKeys.priors(study, database),
    queryFn: ({ signal }) => readPriors(study, database, signal),
    enabled: study !== "",
    staleTime: 60_000,
  });
  const tables = useQuery({
    queryKey: followupKeys.tables(study, database),
    queryFn: ({ signal }) => readFollowups(study, database, signal),
    enabled: study !== "",
    staleTime: 60_000,
  });
  const all = priors.data?.find(({ SeriesInstanceUID }) => SeriesInstanceUID === measured)?.candidates ?? [];
  const prior = all.find(({ SeriesInstanceUID }) => SeriesInstanceUID === chosen) ?? all.find(({ is_chosen }) => is_chosen);
  if (!prior && !tables.data?.length) return null;
  return (
    <Section title="Since the prior" aside={tables.data?.length ? tables.data[0]?.lesions.length : undefined}>
      {tables.error && <ErrorBox error={tables.error} onRetry={() => void tables.refetch()} />}
      {tables.data?.[0] && <ChangeTable table={tables.data[0]} />}
      {prior && <Compare current={measured} prior={prior} />}
    </Section>
  );
}

function Compare({ current, prior }: { current: string; prior: PriorSeries }) {
  const study = useWorkspace((state) => state.study);
  const database = useWorkspace((state) => state.database);
  const client = useQueryClient();
  const [id, setId] = useState<number | null>(null);
  const { data: job } = useJob(id);
  const isOpen = id !== null && (!job || OPEN.includes(job.state));
  useEffect(() => {
    if (id !== null && !isOpen) void client.invalidateQueries({ queryKey: followupKeys.tables(study, database) });
  }, [id, isOpen, client, study, database]);
  const begin = () => {
    followUp(current, prior.SeriesInstanceUID, database).then(
      (made) => { setId(made.id); },
      (error: unknown) => { failed("Nothing was compared", error); },
    );
  };
  return (
    <>
      <Button size="xs" variant="default" loading={isOpen} onClick={begin} title="The lesions that the prior's study keeps are carried over and measured on both">
        {`Compare with ${formatDate(prior.acquired.slice(0, 8)) || prior.SeriesDescription}`}
      </Button>
      {job?.message && <p className={job.state === "failed" ? styles.bad : styles.note} role="status">{sentence(job.message)}</p>}
    </>
  );
}

function ChangeTable({ table }: { table: FollowupTable }) {
  return (
    <>
      <p className={styles.note}>{`${table.time_points[0]} to ${table.time_points[1].toLowerCase()}. ${sentence(table.registration)}`}</p>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">lesion</th>
            {SHOWN.map((each) => <th key={each} scope="col">{each}</th>)}
          </tr>
        </thead>
        <tbody>
          {table.lesions.map((lesion) => <LesionRow key={lesion.name} lesion={lesion} />)}
        </tbody>
        <tfoot>
          <tr><th scope="row">all</th>{SHOWN.map((each) => <Change key={each} of={{ changes: table.totals }} quantity={each} />)}</tr>
        </tfoot>
      </table>
      {table.findings.map((each) => <p key={each} className={styles.finding}>{sentence(each)}</p>)}
    </>
  );
}

function LesionRow({ lesion }: { lesion: FollowedLesion }) {
  return (
    <tr title={lesion.notes.map(sentence).join(" ")}>
      <th scope="row">
        {lesion.name}
        <span className={styles.source}>{lesion.status.toLowerCase()}</span>
      </th>
      {SHOWN.map((each) => <Change key={each} of={lesion} quantity={each} />)}
    </tr>
  );
}

function Change({ of, quantity }: { of: Pick<FollowedLesion, "changes">; quantity: string }) {
  const found = of.changes.find((each) => each.quantity === quantity);
  if (!found) return <td className={styles.number}>–</td>;
  return (
    <td className={styles.number} title={found.unit}>
      {figure(found.current)}
      <span className={styles.source}>{`was ${figure(found.prior)}`}</span>
      <span className={styles.source}>{percentWords(found.percent)}</span>
    </td>
  );
}
