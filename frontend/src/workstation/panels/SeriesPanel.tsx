import { ActionIcon, Menu, Tooltip, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconDotsVertical, IconX } from "@tabler/icons-react";

import type { View, VolumeFacts } from "../../api/workstation";
import { DicomDate, ModalityBadge, formatCounted, sentence } from "../../ui";
import { closeTile, tilesOf } from "../images/model";
import { viewsOf, type Slot } from "../model/document";
import { useKnownSeries } from "../model/hooks";
import type { Known } from "../model/state";
import { useWorkspace } from "../model/store";
import { progressWords, seriesWords } from "../model/words";
import styles from "./panels.module.css";
import { Section } from "./Section";

const SLOTS: Record<Slot, string> = { base: "Base", overlay: "Overlay", prior: "Prior" };

/** Which series are open, as what, and what was found while they were read. */
export function SeriesPanel() {
  const doc = useWorkspace((state) => state.doc);
  const reason = useWorkspace(proposalReason);
  const opening = useWorkspace((state) => state.opening);
  const views = viewsOf(doc);
  const tiles = doc.layout === "images" ? tilesOf(doc, opening).filter((series) => views.every((view) => view.series !== series)) : [];
  const count = views.length + tiles.length;
  return (
    <Section title="Series" aside={count || undefined}>
      {reason && <p className={styles.note}>{sentence(reason)}</p>}
      <ul className={styles.list}>
        {views.map((view) => (
          <SeriesRow key={view.series} view={view} slot={slotOf(view.series, doc)} />
        ))}
        {tiles.map((series) => <ImagesRow key={series} series={series} />)}
      </ul>
      {!count && <p className={styles.note}>Nothing is open. Add a series with + above.</p>}
    </Section>
  );
}

/** Why these were proposed, as long as they are what is shown. */
function proposalReason({ opening, doc }: Known): string {
  const proposal = opening?.proposal;
  const isShown = proposal?.base === (doc.base?.series ?? null) && proposal.overlay === (doc.overlay?.series ?? null);
  return isShown ? proposal.reason : "";
}

function slotOf(series: string, doc: Record<Slot, View | null>): Slot | null {
  return (Object.keys(SLOTS) as Slot[]).find((slot) => doc[slot]?.series === series) ?? null;
}

/** One that is shown as single images, a film or a document. */
function ImagesRow({ series }: { series: string }) {
  const known = useKnownSeries(series);
  return (
    <li className={styles.series}>
      <div className={styles.seriesHead}>
        <ModalityBadge modality={known.Modality} />
        <span className={styles.grow} title={known.SeriesDescription}>{seriesWords(known)}</span>
        <ActionIcon size="sm" aria-label="Close the series" onClick={() => { closeTile(series); }}><IconX size={14} /></ActionIcon>
      </div>
      <div className={styles.line}>
        <DicomDate value={known.StudyDate} />
        <span>{formatCounted(known.instances, "object")}</span>
      </div>
    </li>
  );
}

function SeriesRow({ view, slot }: { view: View; slot: Slot | null }) {
  const known = useKnownSeries(view.series);
  const facts = useWorkspace((state) => state.facts[view.series]);
  const loading = useWorkspace((state) => state.loading[view.series]);
  const reading = useWorkspace((state) => state.reading[view.series]);
  const problem = useWorkspace((state) => state.problems[view.series]);
  const progress = loading ? progressWords(loading) : reading ? progressWords({ loaded: reading.done, total: reading.total }) : "";
  return (
    <li className={styles.series} data-slot={slot ?? undefined}>
      <div className={styles.seriesHead}>
        <ModalityBadge modality={known.Modality} />
        <span className={styles.grow} title={known.SeriesDescription}>{seriesWords(known)}</span>
        {slot && <span className={styles.slot}>{SLOTS[slot]}</span>}
        <SeriesMenu view={view} slot={slot} />
      </div>
      <div className={styles.line}>
        <DicomDate value={known.StudyDate} />
        {facts && <Choices view={view} facts={facts} />}
        {facts && <span>{sizeWords(facts)}</span>}
        {progress && <span className={styles.progress}>{progress}</span>}
      </div>
      {facts?.findings.map((finding) => (
        <p key={finding.sentence} className={styles.finding} data-repaired={finding.is_repaired || undefined}>{sentence(finding.sentence)}</p>
      ))}
      {problem && <p className={styles.bad}>{problem.sentence}</p>}
    </li>
  );
}

function sizeWords({ shape: [slices, rows, columns], spacing_mm, is_resampled }: VolumeFacts): string {
  const spacing = spacing_mm.map((each) => Number(each.toFixed(2))).join(" × ");
  return `${String(columns)} × ${String(rows)} × ${String(slices)}, ${spacing} mm${is_resampled ? ", resampled" : ""}`;
}

/** Where there is a choice: another unit, another stack. */
function Choices({ view, facts }: { view: View; facts: VolumeFacts }) {
  const changeView = useWorkspace((state) => state.changeView);
  const stacks = facts.stacks.map(({ number, label, refusal }) => ({ value: String(number), label: label || `Stack ${String(number)}`, refusal }));
  const units = facts.units.map(({ unit, refusal }) => ({ value: unit, label: unit, refusal }));
  return (
    <>
      <Choice name="Unit" value={facts.unit} options={units} onChange={(unit) => { changeView(view.series, { unit }); }} />
      {stacks.length > 1 && (
        <Choice name="Stack" value={String(facts.stack)} options={stacks} onChange={(stack) => { changeView(view.series, { stack: Number(stack) }); }} />
      )}
    </>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  options: readonly { value: string; label: string; refusal: string }[];
  onChange: (value: string) => void;
}

function Choice({ name, value, options, onChange }: ChoiceProps) {
  const chosen = options.find((each) => each.value === value)?.label ?? value;
  if (options.length < 2) return <span>{chosen}</span>;
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={styles.choice} aria-label={`${name}: ${chosen}`}>{chosen}<IconChevronDown size={12} aria-hidden /></UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {options.map((each) => (
          <Menu.Item key={each.value} disabled={each.refusal !== ""} title={each.refusal || undefined} fw={each.value === value ? 600 : undefined} onClick={() => { onChange(each.value); }}>
            {each.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function SeriesMenu({ view, slot }: { view: View; slot: Slot | null }) {
  const { setBase, setOverlay, setPrior, removeSeries } = useWorkspace.getState();
  const uses: [Slot, (view: View) => void][] = [["base", setBase], ["overlay", setOverlay], ["prior", setPrior]];
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <Tooltip label="Use it as …">
          <ActionIcon size="sm" aria-label="What this series is used as"><IconDotsVertical size={14} /></ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {uses.map(([each, use]) => (
          <Menu.Item key={each} disabled={slot === each} onClick={() => { use(view); }}>Use as {SLOTS[each].toLowerCase()}</Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconX size={14} />} onClick={() => { removeSeries(view.series); }}>Close the series</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
