import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";

import type { KeptRegion, Numbers } from "../../api/workstation";
import { When, formatDate, sentence } from "../../ui";
import { RegionActions } from "../delineating/RegionActions";
import { RuleControls } from "../delineating/RuleControls";
import { changesAt, percentWords } from "../measuring/words";
import { useAsking } from "../model/asking";
import { useKnownSeries } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import styles from "./panels.module.css";

/** How it came about, its numbers on every series at once, and what is to be said of them. */
export function RegionDetails({ region, notes }: { region: KeptRegion; notes: readonly string[] }) {
  const { changeRegion, removeRegion } = useWorkspace.getState();
  const isBusy = useAsking((state) => state.regions.includes(region.id));
  return (
    <div className={styles.details}>
      <div className={styles.naming}>
        <TextInput
          size="xs" aria-label="Name of the region" value={region.name}
          onChange={(event) => { changeRegion(region.id, { name: event.currentTarget.value }); }}
        />
        <Tooltip label="Delete (Del; Z brings it back)">
          <ActionIcon aria-label={`Delete ${region.name}`} onClick={() => { removeRegion(region.id); }}><IconTrash size={15} /></ActionIcon>
        </Tooltip>
      </div>
      <RuleControls region={region} />
      <RegionActions region={region} />
      <p className={styles.note}>
        {isBusy && <span className={styles.busy} role="status">The service is measuring … </span>}
        {ruleWords(region)}{region.made_by && ` By ${region.made_by}, `}{region.made_by && <When seconds={region.made_s} />}
      </p>
      <SincePrior region={region} />
      {region.numbers.map((numbers) => (numbers.mean === null ? <NoNumbers key={numbers.SeriesInstanceUID} numbers={numbers} /> : <NumbersOf key={numbers.SeriesInstanceUID} numbers={numbers} />))}
      {notes.map((note) => <p key={note} className={styles.finding}>{sentence(note)}</p>)}
      {remarksOf(region).map((remark) => <p key={remark} className={styles.note}>{sentence(remark)}</p>)}
    </div>
  );
}

/** How it came about, in its own series first; not the doubts. */
function remarksOf({ numbers }: KeptRegion): string[] {
  return [...new Set(numbers.flatMap(({ remarks = [] }) => remarks))];
}

/** The same place in the prior: not the lesion of then, which a follow-up looks for. */
function SincePrior({ region }: { region: KeptRegion }) {
  const prior = useWorkspace((state) => state.doc.prior?.series);
  const known = useKnownSeries(prior);
  if (prior === undefined) return null;
  const found = changesAt(region, prior);
  if (typeof found === "string") return found ? <p className={styles.finding}>{sentence(found)}</p> : null;
  return (
    <table className={styles.table}>
      <thead>
        <tr><th scope="col">same place</th><th scope="col">{formatDate(known.StudyDate) || "prior"}</th><th scope="col">now</th><th scope="col">change</th></tr>
      </thead>
      <tbody>
        {found.map(({ name, prior: before, current, percent }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className={styles.number}>{figure(before)}</td>
            <td className={styles.number}>{figure(current)}</td>
            <td className={styles.number}>{percentWords(percent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** "Above 41 % of the maximum." */
export function ruleWords({ rule }: Pick<KeptRegion, "rule">): string {
  switch (rule.kind) {
    case "threshold":
      if (rule.of === "max") return `Above ${figure(rule.value)} % of the maximum.`;
      if (rule.of === "absolute") return `Above ${figure(rule.value)}.`;
      return rule.of === "liver" ? "Above the liver's threshold (PERCIST)." : "Above a threshold found by itself.";
    case "sphere":
      return `Ball of ${figure(rule.diameter_mm)} mm.`;
    case "ellipse":
      return `Ellipse of ${figure(2 * rule.radii_mm[0])} × ${figure(2 * rule.radii_mm[1])} mm, one slice.`;
    case "grow":
      return `Grown from a point, ${figure(rule.low)} to ${figure(rule.high)}.`;
    case "combine":
      return { add: "Two regions together.", subtract: "One region without another.", intersect: "What two regions share." }[rule.operation];
    case "margin":
      return `With a margin of ${typeof rule.mm === "number" ? figure(rule.mm) : rule.mm.map(figure).join(" × ")} mm.`;
    case "contours":
      return "Drawn as contours.";
    case "carried":
      return "Carried over from another series.";
    case "object":
      return "From a stored object.";
    case "shape":
      return "Painted.";
  }
}

/** Why there are none there; of the prior it is said above, of its own series below. */
function NoNumbers({ numbers: { SeriesInstanceUID, findings } }: { numbers: Numbers }) {
  const known = useKnownSeries(SeriesInstanceUID);
  const isPrior = useWorkspace((state) => state.doc.prior?.series === SeriesInstanceUID);
  if (isPrior) return null;
  return findings.map((each) => <p key={each} className={styles.finding}>{`${known.Modality}: ${sentence(each)}`}</p>);
}

function NumbersOf({ numbers }: { numbers: Numbers }) {
  const known = useKnownSeries(numbers.SeriesInstanceUID);
  const { unit, mean, sd, min, median, max, peak_volume_ml, longest_mm, perpendicular_mm, voxels } = numbers;
  const facts: [string, string][] = [
    ["mean ± SD", `${figure(mean)} ± ${figure(sd)}`],
    ["min, median, max", [min, median, max].map(figure).join(", ")],
    ["size", longest_mm === null ? "" : `${figure(longest_mm)}${perpendicular_mm === null ? "" : ` × ${figure(perpendicular_mm)}`} mm`],
    ["voxels", voxels.toLocaleString()],
    ["peak over", peak_volume_ml === null ? "" : `${figure(peak_volume_ml)} ml`],
  ];
  return (
    <dl className={styles.facts}>
      <div>
        <dt>{known.Modality || "Series"}</dt>
        <dd>{unit}</dd>
      </div>
      {facts.filter(([, value]) => value).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
