import { Loader, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, type CSSProperties } from "react";

import { askDose } from "../../api/volumes";
import type { DoseAsk, KeptRegion, RegionDose, VolumeFacts } from "../../api/workstation";
import { ErrorBox, sentence } from "../../ui";
import { tableOf } from "../model/colours";
import { measuredView } from "../model/making";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import styles from "../panels/panels.module.css";
import { Section } from "../panels/Section";
import { BANDS, GRAY, isodosesOf, useDoseLook } from "./dose";
import { DoseChart } from "./DoseChart";

/** The dose that is shown, if any. */
function useDose(): VolumeFacts | undefined {
  return useWorkspace(({ doc, facts }) =>
    [doc.overlay, doc.base, doc.prior].map((view) => view && facts[view.series]).find((each) => each?.unit === GRAY) ?? undefined,
  );
}

/** A dose over the images: its isodoses, and what the regions that are shown receive. */
export function DosePanel() {
  const dose = useDose();
  if (!dose) return null;
  return (
    <Section title="Dose">
      <Isodoses dose={dose} />
      <Histograms dose={dose} />
    </Section>
  );
}

function Isodoses({ dose }: { dose: VolumeFacts }) {
  const hasBands = useDoseLook((state) => state.hasBands);
  const display = useWorkspace((state) => state.doc.display[dose.SeriesInstanceUID]);
  const table = useMemo(() => tableOf(display?.colours ?? "spectrum"), [display?.colours]);
  if (!display) return null;
  const colourOf = (band: number) => {
    const step = 3 * Math.floor(((BANDS - band - 0.5) * 256) / BANDS);
    return `rgb(${table.subarray(step, step + 3).join(" ")})`;
  };
  return (
    <>
      <Switch
        size="xs" label="Isodoses: one colour from each to the next" checked={hasBands}
        onChange={(event) => { useDoseLook.setState({ hasBands: event.currentTarget.checked }); }}
      />
      <div className={styles.line} aria-label="Isodoses in Gy">
        {isodosesOf(display.low, display.high).slice(0, -1).map((gy, band) => (
          <span key={gy} className={styles.sign}>
            <span className={styles.swatch} style={{ "--colour": colourOf(band) } as CSSProperties} />
            {figure(gy)}
          </span>
        ))}
      </div>
      <p className={styles.note}>In Gy, the upper edge of each colour. The window of the dose moves them; below {figure(display.low + (display.high - display.low) / BANDS)} Gy nothing is coloured.</p>
    </>
  );
}

function ruleFor({ rule, shape }: KeptRegion): DoseAsk["regions"][number] {
  // A structure is asked for by its contours, which are finer than voxels.
  return rule.kind === "object" ? rule : { kind: "shape", shape };
}

function Histograms({ dose }: { dose: VolumeFacts }) {
  const all = useWorkspace((state) => state.doc.regions);
  const base = useWorkspace((state) => state.doc.base?.series ?? null);
  const database = useWorkspace((state) => state.database);
  const regions = useMemo(() => all.filter((each) => each.is_visible), [all]);
  const rules = useMemo(() => regions.map(ruleFor), [regions]);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["dose", dose.id, base, database, rules],
    queryFn: ({ signal }) => {
      const series = measuredView(useWorkspace.getState(), dose.SeriesInstanceUID);
      return series ? askDose({ series, regions: rules, base }, database, signal) : [];
    },
    enabled: regions.length > 0,
    staleTime: Infinity,
  });
  if (!regions.length) return <p className={styles.note}>Show a structure, or outline a region: its histogram comes here.</p>;
  const found = regions.flatMap((region, which) => {
    const one = data?.[which];
    return one ? [{ region, dose: one }] : [];
  });
  return (
    <>
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {isFetching && <Loader size={14} aria-label="The service computes histograms" />}
      {found.length > 0 && (
        <DoseChart curves={found.map(({ region, dose: { curve_gy, curve_percent } }) => ({ name: region.name, colour: region.colour, doses_gy: curve_gy, percents: curve_percent }))} />
      )}
      {found.length > 0 && <DoseTable rows={found} />}
      {found.flatMap(({ region, dose: { findings } }) => findings.map((each) => (
        <p key={`${region.id} ${each}`} className={styles.finding}>{`${region.name}: ${sentence(each)}`}</p>
      )))}
    </>
  );
}

function DoseTable({ rows }: { rows: readonly { region: KeptRegion; dose: RegionDose }[] }) {
  const names = rows.find(({ dose }) => dose.metrics.length)?.dose.metrics.map(({ name }) => name) ?? [];
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">in Gy</th>
          <th scope="col">mean</th>
          {names.map((name) => <th key={name} scope="col">{name}</th>)}
          <th scope="col">max</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ region, dose }) => (
          <tr key={region.id}>
            <th scope="row">
              <span className={styles.named}>
                <span className={styles.swatch} style={{ "--colour": `rgb(${region.colour.join(" ")})` } as CSSProperties} />
                <span className={styles.grow} title={region.name}>{region.name}</span>
              </span>
            </th>
            <td className={styles.number}>{figure(dose.mean_gy)}</td>
            {names.map((name) => <td key={name} className={styles.number}>{figure(dose.metrics.find((each) => each.name === name)?.value)}</td>)}
            <td className={styles.number}>{figure(dose.maximum_gy)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
