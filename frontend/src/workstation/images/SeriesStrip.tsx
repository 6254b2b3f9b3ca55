import { ActionIcon, Tooltip, UnstyledButton } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";

import type { OpeningSeries, OpeningStudy } from "../../api/workstation";
import { useStudy } from "../../pages/studies/panel/reading";
import { Thumbnail } from "../../pages/studies/panel/Thumbnail";
import { DicomDate, ModalityBadge, formatCount } from "../../ui";
import { useWorkspace } from "../model/store";
import { seriesWords } from "../model/words";
import styles from "./images.module.css";
import { MOST_TILES, showSeries } from "./model";

const NONE: readonly OpeningStudy[] = [];

/** All series of the patient at the side: a click shows one, + shows it beside the others. */
export function SeriesStrip({ tiles }: { tiles: readonly string[] }) {
  const studies = useWorkspace((state) => state.opening?.studies ?? NONE);
  return (
    <nav className={styles.strip} aria-label="Series">
      {studies.map((study) => (
        <section key={study.StudyInstanceUID}>
          <h3><DicomDate value={study.StudyDate} /></h3>
          <StudySeries study={study} tiles={tiles} />
        </section>
      ))}
    </nav>
  );
}

function StudySeries({ study, tiles }: { study: OpeningStudy; tiles: readonly string[] }) {
  const database = useWorkspace((state) => state.database);
  const { data } = useStudy({ study: study.StudyInstanceUID, database });
  const pictures = new Map(data?.series.map((each) => [each.SeriesInstanceUID, each.thumbnail]));
  return study.series.map((series) => (
    <Item key={series.SeriesInstanceUID} series={series} thumbnail={pictures.get(series.SeriesInstanceUID) ?? ""} tiles={tiles} />
  ));
}

function Item({ series, thumbnail, tiles }: { series: OpeningSeries; thumbnail: string; tiles: readonly string[] }) {
  const uid = series.SeriesInstanceUID;
  const isShown = tiles.includes(uid);
  return (
    <div className={styles.item} data-shown={isShown || undefined}>
      <UnstyledButton className={styles.itemButton} aria-pressed={isShown} title={seriesWords(series)} onClick={() => { showSeries(uid); }}>
        <Thumbnail address={thumbnail} modality={series.Modality} size_px={84} />
        <span className={styles.itemWords}>
          <ModalityBadge modality={series.Modality} />
          <span>{formatCount(series.instances)}</span>
        </span>
        <span className={styles.itemTitle}>{seriesWords(series)}</span>
      </UnstyledButton>
      {!isShown && tiles.length < MOST_TILES && (
        <Tooltip label="Show it beside the others" position="right">
          <ActionIcon className={styles.beside} size={20} variant="filled" color="dark" aria-label={`Show ${seriesWords(series)} beside the others`} onClick={() => { showSeries(uid, true); }}>
            <IconPlus size={13} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}
