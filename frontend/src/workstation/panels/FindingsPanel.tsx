import { ActionIcon } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import type { CSSProperties } from "react";

import type { KeptLine, KeptRegion, Numbers } from "../../api/workstation";
import { sentence } from "../../ui";
import { useAsking } from "../model/asking";
import { useKnownSeries } from "../model/hooks";
import { numbersOf, totalsOf } from "../model/making";
import { isLineHere, placeOfRegion, shapeOf } from "../model/shapes";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import styles from "./panels.module.css";
import { RegionDetails } from "./RegionDetails";
import { Section } from "./Section";

const rgb = (colour: readonly number[]) => `rgb(${colour.join(" ")})`;

/** What was outlined and measured: one row a lesion, with its numbers; the sums at the foot. */
export function FindingsPanel() {
  const regions = useWorkspace((state) => state.doc.regions);
  const lines = useWorkspace((state) => state.doc.lines);
  const making = useAsking((state) => state.making);
  const findings = regions.filter((region) => region.kind !== "structure");
  const count = findings.length + lines.length;
  return (
    <Section title="Findings" aside={count || undefined}>
      {findings.length > 0 && <RegionTable regions={findings} />}
      {lines.length > 0 && (
        <ul className={styles.list}>
          {lines.map((line) => <LineRow key={line.id} line={line} />)}
        </ul>
      )}
      {making > 0 && <p className={styles.busy} role="status">The service is outlining and measuring …</p>}
      {count === 0 && making === 0 && <p className={styles.note}>Nothing yet. Take the threshold tool (T) and click into a hot spot.</p>}
    </Section>
  );
}

/** As its series is: SUV for PET, HU for CT. */
function unitOf(regions: readonly KeptRegion[]): string {
  const units = new Set(regions.map((region) => numbersOf(region)?.unit ?? "").filter(Boolean));
  const [only] = units;
  return units.size === 1 && only !== undefined ? only : "";
}

function RegionTable({ regions }: { regions: readonly KeptRegion[] }) {
  const selection = useWorkspace((state) => state.selection);
  const totals = totalsOf(regions);
  const unit = unitOf(regions);
  const lesions = regions.filter((region) => region.kind === "lesion").length;
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{unit ? `in ${unit}` : ""}</th>
          <th scope="col">max</th>
          <th scope="col"><span title="The hottest ball of 1 ml">peak</span></th>
          <th scope="col">mean</th>
          <th scope="col">ml</th>
          <th scope="col"><span title="Total lesion glycolysis: mean × volume">TLG</span></th>
        </tr>
      </thead>
      <tbody>
        {regions.map((region) => <RegionRow key={region.id} region={region} isSelected={region.id === selection} hasUnit={!unit} />)}
      </tbody>
      {lesions > 1 && (
        <tfoot>
          <tr>
            <th scope="row" colSpan={4}>{lesions} lesions</th>
            <td className={styles.number}>{figure(totals.volume_ml)}</td>
            <td className={styles.number}>{figure(totals.tlg)}</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

const COLUMNS: readonly (keyof Numbers)[] = ["max", "peak", "mean", "volume_ml", "tlg"];

function RegionRow({ region, isSelected, hasUnit }: { region: KeptRegion; isSelected: boolean; hasUnit: boolean }) {
  const { select, setCursor } = useWorkspace.getState();
  const numbers = numbersOf(region);
  const isDrawn = useWorkspace((state) => shapeOf(state, region) !== null);
  const show = () => {
    select(region.id);
    const place = placeOfRegion(useWorkspace.getState(), region);
    if (place) setCursor(place);
  };
  const isBusy = useAsking((state) => state.regions.includes(region.id));
  const notes = [...(numbers?.findings ?? []), ...(isDrawn ? [] : ["It lies in another frame of reference and is not drawn on this base."])];
  return (
    <>
      <tr className={styles.row} data-selected={isSelected || undefined} aria-busy={isBusy} onClick={show}>
        <th scope="row">
          <span className={styles.named}>
            <Eye region={region} />
            <button type="button" className={styles.name} onClick={show} title={[region.name, ...notes].map(sentence).join(" ")}>
              <span>{region.name}</span>
            </button>
            {notes.length > 0 && <span className={styles.star} aria-label="with a note">*</span>}
          </span>
          {hasUnit && numbers && <span className={styles.unit}>{numbers.unit}</span>}
        </th>
        {COLUMNS.map((key) => <td key={key} className={styles.number}>{isBusy ? "…" : figure(numbers?.[key] as number | null | undefined)}</td>)}
      </tr>
      {!isBusy && region.numbers.map((each) => each !== numbers && each.mean !== null && <ElsewhereRow key={each.SeriesInstanceUID} numbers={each} />)}
      {isSelected && (
        <tr>
          <td colSpan={6}><RegionDetails region={region} notes={notes} /></td>
        </tr>
      )}
    </>
  );
}

/** The same place in another series: HU beside SUV. */
function ElsewhereRow({ numbers }: { numbers: Numbers }) {
  const known = useKnownSeries(numbers.SeriesInstanceUID);
  const isPrior = useWorkspace((state) => state.doc.prior?.series === numbers.SeriesInstanceUID);
  return (
    <tr className={styles.alsoRow}>
      <th scope="row"><span className={styles.unit}>{`${isPrior ? "prior" : known.Modality} ${numbers.unit}`}</span></th>
      {(["max", "peak", "mean"] as const).map((key) => <td key={key} className={styles.number}>{figure(numbers[key])}</td>)}
      <td colSpan={2} />
    </tr>
  );
}

/** Its colour; a click hides and shows its outline. */
function Eye({ region: { id, name, colour, is_visible } }: { region: KeptRegion }) {
  const changeRegion = useWorkspace((state) => state.changeRegion);
  const words = `${is_visible ? "Hide" : "Show"} the outline of ${name}`;
  return (
    <button
      type="button" className={styles.swatch} style={{ "--colour": rgb(colour) } as CSSProperties} data-hidden={!is_visible || undefined}
      aria-label={words} title={words}
      onClick={(event) => { event.stopPropagation(); changeRegion(id, { is_visible: !is_visible }); }}
    />
  );
}

function LineRow({ line }: { line: KeptLine }) {
  const { removeLine, select, setCursor } = useWorkspace.getState();
  const isSelected = useWorkspace((state) => state.selection === line.id);
  const words = { length: "Length", angle: "Angle", arrow: "Arrow" }[line.kind];
  const show = () => {
    select(line.id);
    if (line.points_mm[0] && isLineHere(useWorkspace.getState(), line)) setCursor(line.points_mm[0]);
  };
  return (
    <li className={styles.lineRow} data-selected={isSelected || undefined}>
      <button type="button" className={styles.name} onClick={show}>
        {line.text || words}
      </button>
      {line.value !== null && <span className={styles.number}>{figure(line.value)} {line.unit}</span>}
      <ActionIcon size="xs" aria-label={`Delete ${line.text || words}`} onClick={() => { removeLine(line.id); }}><IconTrash size={14} /></ActionIcon>
    </li>
  );
}
