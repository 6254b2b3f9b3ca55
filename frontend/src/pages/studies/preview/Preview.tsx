import { ActionIcon, Modal, Tooltip } from "@mantine/core";
import { IconListDetails, IconX } from "@tabler/icons-react";

import type { StudyDetail } from "../../../api/types";
import { DicomDate, PersonName } from "../../../ui";
import type { Reading } from "../panel/StudyPanel";
import { SeriesStrip } from "./SeriesStrip";
import { Viewer } from "./Viewer";
import styles from "./preview.module.css";
import { useInstances } from "../panel/reading";

export interface Shown {
  series: string;
  /** Which of its instances; the middle one without. */
  at: number | null;
}

interface PreviewProps {
  detail: StudyDetail;
  database: string;
  shown: Shown;
  onShow: (shown: Shown) => void;
  onClose: () => void;
  onReadAttributes: (reading: Reading) => void;
}

/** Pictures of a study, large: to see what it is, not to read it. */
export function Preview({ detail, database, shown, onShow, onClose, onReadAttributes }: PreviewProps) {
  const { study } = detail;
  const series = detail.series.find((each) => each.SeriesInstanceUID === shown.series);
  const place = { study: study.StudyInstanceUID, series: shown.series, database };
  const { data: instances, error } = useInstances(place);
  const withPictures = detail.series.filter((each) => each.thumbnail);
  const at = shown.at ?? Math.floor(((instances?.length ?? 1) - 1) / 2);
  return (
    <Modal
      opened
      onClose={onClose}
      fullScreen
      withCloseButton={false}
      padding={0}
      title=""
      aria-label="Preview"
      classNames={{ body: styles.body ?? "", content: styles.content ?? "", header: styles.noHeader ?? "" }}
      closeOnEscape
    >
      <header className={styles.bar}>
        <b className={styles.name}>
          <PersonName value={study.PatientName} />
        </b>
        <span className={styles.quiet}>
          <DicomDate value={study.StudyDate} /> {study.StudyDescription}
        </span>
        <span className={styles.warning}>Preview, not for diagnosis</span>
        <Tooltip label="Attributes of this object">
          <ActionIcon
            aria-label="Attributes of this object"
            onClick={() => { onReadAttributes({ series: shown.series, at }); }}
          >
            <IconListDetails size={18} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Close (Esc)">
          <ActionIcon aria-label="Close the preview" onClick={onClose} data-autofocus>
            <IconX size={18} />
          </ActionIcon>
        </Tooltip>
      </header>
      <div className={styles.main}>
        {withPictures.length > 1 && (
          <SeriesStrip
            series={withPictures}
            current={shown.series}
            onPick={(uid) => { onShow({ series: uid, at: null }); }}
          />
        )}
        {series && (
          <Viewer
            key={shown.series}
            place={place}
            series={series}
            instances={instances ?? []}
            error={error}
            at={at}
            onMove={(to) => { onShow({ series: shown.series, at: to }); }}
          />
        )}
      </div>
    </Modal>
  );
}
