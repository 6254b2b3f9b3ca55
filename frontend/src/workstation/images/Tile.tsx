import { ActionIcon, Tooltip } from "@mantine/core";
import { IconInfoCircle, IconMaximize, IconMinimize, IconX } from "@tabler/icons-react";

import type { OpeningSeries } from "../../api/workstation";
import { DicomDate, ModalityBadge, sentence } from "../../ui";
import { useWorkspace } from "../model/store";
import { seriesWords } from "../model/words";
import reason from "../panels/reason.module.css";
import { DocumentTile } from "./documents/DocumentTile";
import styles from "./images.module.css";
import { activate, closeTile, sightOf, toggleAlone, type Placed } from "./model";
import { StackTile } from "./stack/StackTile";
import { usePlaced } from "./usePlaced";
import { WaveformTile } from "./waveform/WaveformTile";

interface TileProps {
  series: string;
  isActive: boolean;
  isAlone: boolean;
  /** Others are there too. */
  isOneOfMany: boolean;
}

/** One series, in the way that fits it, and why it is shown so. */
export function Tile({ series, isActive, isAlone, isOneOfMany }: TileProps) {
  const placed = usePlaced(series);
  if (!placed) return <div className={styles.tile}><p className={styles.none}>This series is not here any more.</p></div>;
  return (
    <section
      className={styles.tile} aria-label={seriesWords(placed.series)} data-active={(isActive && isOneOfMany) || undefined}
      onPointerDownCapture={() => { activate(series); }} onFocusCapture={() => { activate(series); }}
    >
      <header className={styles.tileHead}>
        <ModalityBadge modality={placed.series.Modality} />
        <b className={styles.name}>{seriesWords(placed.series)}</b>
        <span className={styles.quiet}><DicomDate value={placed.study.StudyDate} /></span>
        <span className={styles.grow} />
        {isOneOfMany && <Buttons series={series} isAlone={isAlone} />}
      </header>
      <div className={styles.tileBody}><Sighted placed={placed} isActive={isActive} /></div>
      <WhyBar placed={placed} />
    </section>
  );
}

function Buttons({ series, isAlone }: { series: string; isAlone: boolean }) {
  return (
    <>
      <Tooltip label={isAlone ? "All of them" : "This one alone"}>
        <ActionIcon size={22} aria-label={isAlone ? "All of them" : "This one alone"} onClick={() => { toggleAlone(series); }}>
          {isAlone ? <IconMinimize size={14} /> : <IconMaximize size={14} />}
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Close">
        <ActionIcon size={22} aria-label="Close" onClick={() => { closeTile(series); }}><IconX size={14} /></ActionIcon>
      </Tooltip>
    </>
  );
}

function Sighted({ placed, isActive }: { placed: Placed; isActive: boolean }) {
  const sight = sightOf(placed.series);
  if (sight === "stack") return <StackTile placed={placed} isActive={isActive} />;
  if (sight === "waveform") return <WaveformTile placed={placed} isActive={isActive} />;
  return <DocumentTile placed={placed} />;
}

const OTHERWISE: Record<OpeningSeries["shows_as"], string> = {
  volume: "as they were stored; layouts 1 to 5 show this series in its planes",
  images: "as they were stored",
  cine: "as they were stored",
  waveform: "drawn to scale: one large square is 5 mm",
  document: "a document as it was written",
  object: "it belongs to other series, and has no picture of its own",
  nothing: "it has no picture of its own",
};

/** Why it is shown like this: never hidden. */
function WhyBar({ placed: { series } }: { placed: Placed }) {
  const problem = useWorkspace((state) => state.problems[series.SeriesInstanceUID]);
  const refused = problem?.status === 422 ? problem.sentence : "";
  const words = sentence(refused || series.reason || OTHERWISE[series.shows_as]);
  const head = sightOf(series) === "stack" ? "Single images" : "";
  return (
    <div className={reason.bar} data-tone={refused ? "warn" : "quiet"} title={words}>
      <IconInfoCircle size={14} stroke={2} aria-hidden />
      {head && <b>{head}</b>}
      <span className={reason.sentence}>{words}</span>
    </div>
  );
}
