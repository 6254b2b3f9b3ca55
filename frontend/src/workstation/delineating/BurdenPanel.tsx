import { ActionIcon, Button, NumberInput, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowBackUp, IconCheck, IconX } from "@tabler/icons-react";
import { useState } from "react";

import type { Region } from "../../api/workstation";
import { sentence } from "../../ui";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import styles from "../panels/panels.module.css";
import { Section } from "../panels/Section";
import { accept, burdenThreshold, closeBurden, exclude, findLesions, include, useBurden, type Excluded } from "./burden";
import { ThresholdOptions } from "./ThresholdOptions";

const MINIMUM_ML = 1;

/** All lesions from a threshold on: the bladder and the like are left out, the rest is kept (TMTV). */
export function BurdenPanel() {
  const workspace = useWorkspace((state) => state.id);
  const tool = useWorkspace((state) => state.tool);
  const burden = useBurden();
  const isOpen = burden.totals !== null && burden.workspace === workspace;
  return (
    <Section title="Tumour burden" aside={isOpen ? burden.candidates.length : undefined} isOpenAtFirst={false}>
      {/* The threshold tool has the same options above. */}
      {tool !== "threshold" && <ThresholdOptions />}
      <Finding isAsking={burden.isAsking} />
      {isOpen && <Worklist />}
    </Section>
  );
}

function Finding({ isAsking }: { isAsking: boolean }) {
  const [minimum_ml, setMinimum] = useState(MINIMUM_ML);
  const find = () => {
    const threshold = burdenThreshold();
    if (typeof threshold === "string") notifications.show({ message: threshold, autoClose: 8000 });
    else void findLesions({ threshold, minimum_ml });
  };
  return (
    <div className={styles.pair}>
      <NumberInput
        size="xs" aria-label="Smallest lesion" prefix="from " suffix=" ml" min={0} step={0.5} decimalScale={2} value={minimum_ml}
        onChange={(value) => { if (typeof value === "number") setMinimum(value); }}
      />
      <Button size="xs" loading={isAsking} onClick={find}>Find lesions</Button>
    </div>
  );
}

function Worklist() {
  const { candidates, totals, excluded } = useBurden();
  if (!totals) return null;
  return (
    <>
      <p className={styles.note}>{`From ${figure(totals.level)} ${totals.unit} on${totals.too_small ? `; ${String(totals.too_small)} smaller ones are not counted (${figure(totals.too_small_ml)} ml)` : ""}.`}</p>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">candidate</th>
            <th scope="col">max</th>
            <th scope="col">ml</th>
            <th scope="col">TLG</th>
            <th scope="col" aria-label="Accept or leave out" />
          </tr>
        </thead>
        <tbody>
          {candidates.map((region, which) => <Candidate key={region.shape.runs + region.shape.bounds.join()} region={region} which={which} />)}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{`${String(totals.lesions)} found`}</th>
            <td className={styles.number}>{figure(totals.max)}</td>
            <td className={styles.number}>{figure(totals.mtv_ml)}</td>
            <td className={styles.number}>{figure(totals.tlg)}</td>
            <td />
          </tr>
        </tfoot>
      </table>
      {totals.dmax_mm !== null && <p className={styles.note}>{`Dmax ${figure(totals.dmax_mm)} mm.`}</p>}
      {totals.findings.map((each) => <p key={each} className={styles.finding}>{sentence(each)}</p>)}
      {excluded.length > 0 && (
        <ul className={styles.list} aria-label="Left out">
          {excluded.map((each, which) => <LeftOut key={each.shape.runs + each.shape.bounds.join()} which={which} excluded={each} />)}
        </ul>
      )}
      <div className={styles.pair}>
        <Button size="xs" disabled={!candidates.length} onClick={() => { accept(candidates); }}>Keep all {candidates.length}</Button>
        <Button size="xs" variant="default" onClick={closeBurden}>Close</Button>
      </div>
    </>
  );
}

function Candidate({ region, which }: { region: Region; which: number }) {
  const isChosen = useBurden((state) => state.chosen === which);
  const isAsking = useBurden((state) => state.isAsking);
  const [numbers] = region.numbers;
  const name = `Candidate ${String(which + 1)}`;
  const show = () => {
    useBurden.setState({ chosen: which });
    // In the base's frame; the maximum of another frame has another place.
    if (!region.shown && numbers?.max_at_mm) useWorkspace.getState().setCursor(numbers.max_at_mm);
  };
  return (
    <tr className={styles.row} data-selected={isChosen || undefined} onClick={show}>
      <th scope="row"><button type="button" className={styles.name} onClick={show}><span>{name}</span></button></th>
      <td className={styles.number}>{figure(numbers?.max)}</td>
      <td className={styles.number}>{figure(numbers?.volume_ml)}</td>
      <td className={styles.number}>{figure(numbers?.tlg)}</td>
      <td className={styles.choices}>
        <Tooltip label="Keep as a lesion">
          <ActionIcon size="xs" disabled={isAsking} aria-label={`Keep ${name}`} onClick={(event) => { event.stopPropagation(); accept([region]); }}><IconCheck size={14} /></ActionIcon>
        </Tooltip>
        <Tooltip label="Leave out: no lesion">
          <ActionIcon size="xs" disabled={isAsking} aria-label={`Leave out ${name}`} onClick={(event) => { event.stopPropagation(); void exclude(region); }}><IconX size={14} /></ActionIcon>
        </Tooltip>
      </td>
    </tr>
  );
}

function LeftOut({ excluded, which }: { excluded: Excluded; which: number }) {
  const isAsking = useBurden((state) => state.isAsking);
  return (
    <li className={styles.lineRow}>
      <span className={styles.grow}>{`Left out: ${figure(excluded.numbers?.volume_ml)} ml, max ${figure(excluded.numbers?.max)}`}</span>
      <Tooltip label="Bring it back">
        <ActionIcon size="xs" disabled={isAsking} aria-label={`Bring back ${String(which + 1)}`} onClick={() => void include(excluded)}><IconArrowBackUp size={14} /></ActionIcon>
      </Tooltip>
    </li>
  );
}
