import { ActionIcon, Button, Popover, Tooltip } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import type { OpeningSeries, OpeningStudy } from "../../api/workstation";
import { DicomDate, ModalityBadge } from "../../ui";
import { showImages } from "../images/model";
import { viewOf, viewsOf, type Slot } from "../model/document";
import { useWorkspace } from "../model/store";
import { seriesWords } from "../model/words";
import styles from "./bars.module.css";

const NONE: readonly OpeningStudy[] = [];

/** Other series of the patient, of this study and of earlier ones. */
export function AddSeries() {
  const studies = useWorkspace((state) => state.opening?.studies ?? NONE);
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-start" width={460} shadow="md" trapFocus>
      <Popover.Target>
        <Tooltip label="Add a series" disabled={isOpen}>
          <ActionIcon size="md" variant="default" aria-label="Add a series" onClick={() => { setOpen(!isOpen); }}>
            <IconPlus size={16} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown className={styles.adding}>
        {studies.map((study, at) => <StudyGroup key={study.StudyInstanceUID} study={study} isPrior={at > 0} onDone={() => { setOpen(false); }} />)}
        {!studies.length && <p className={styles.quiet}>Nothing else of this patient is here.</p>}
      </Popover.Dropdown>
    </Popover>
  );
}

interface GroupProps {
  study: OpeningStudy;
  isPrior: boolean;
  onDone: () => void;
}

function StudyGroup({ study, isPrior, onDone }: GroupProps) {
  return (
    <section>
      <h3 className={styles.addingHead}>
        {isPrior ? "Of another day: " : "This study: "}
        <DicomDate value={study.StudyDate} /> {study.StudyDescription}
      </h3>
      <ul className={styles.addingList}>
        {study.series.map((series) => <Choice key={series.SeriesInstanceUID} series={series} isPrior={isPrior} onDone={onDone} />)}
      </ul>
    </section>
  );
}

function Choice({ series, isPrior, onDone }: { series: OpeningSeries; isPrior: boolean; onDone: () => void }) {
  const uid = series.SeriesInstanceUID;
  const isOpen = useWorkspace((state) => viewsOf(state.doc).some((view) => view.series === uid));
  const { setBase, setOverlay, setPrior, setLayout } = useWorkspace.getState();
  const use = (slot: Slot) => () => {
    const view = viewsOf(useWorkspace.getState().doc).find((each) => each.series === uid) ?? viewOf(uid);
    if (slot === "base") setBase(view);
    else if (slot === "overlay") setOverlay(view);
    else {
      setPrior(view);
      setLayout("prior");
    }
    onDone();
  };
  const slots: [Slot, string][] = [["base", "Base"], ["overlay", "Overlay"], ["prior", "Prior"]];
  return (
    <li className={styles.choice}>
      <ModalityBadge modality={series.Modality} />
      <span className={styles.chipWords} title={series.reason || undefined}>
        {seriesWords(series)} <span className={styles.quiet}>{series.instances}{isOpen && ", open"}</span>
      </span>
      {series.shows_as === "volume" ? (
        slots.filter(([slot]) => isPrior || slot !== "prior").map(([slot, label]) => (
          <Button key={slot} size="compact-xs" variant="default" onClick={use(slot)}>{label}</Button>
        ))
      ) : (
        <Tooltip label={series.reason} disabled={!series.reason}>
          <Button size="compact-xs" variant="default" onClick={() => { showImages(uid, undefined, true); onDone(); }}>{SHOWN_AS[series.shows_as]}</Button>
        </Tooltip>
      )}
    </li>
  );
}

const SHOWN_AS: Record<OpeningSeries["shows_as"], string> = {
  volume: "",
  images: "Images",
  cine: "Film",
  waveform: "Waveform",
  document: "Document",
  object: "Object",
  nothing: "Object",
};
