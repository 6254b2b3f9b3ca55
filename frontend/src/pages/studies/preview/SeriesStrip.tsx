import { UnstyledButton } from "@mantine/core";

import type { Series } from "../../../api/types";
import { ModalityBadge, formatCount } from "../../../ui";
import { Thumbnail } from "../panel/Thumbnail";
import styles from "./preview.module.css";

interface SeriesStripProps {
  series: Series[];
  current: string;
  onPick: (uid: string) => void;
}

/** The series of the study at the side, to change between them. */
export function SeriesStrip({ series, current, onPick }: SeriesStripProps) {
  return (
    <nav className={styles.strip} aria-label="Series">
      {series.map((each) => (
        <UnstyledButton
          key={each.SeriesInstanceUID}
          className={styles.stripItem}
          aria-current={each.SeriesInstanceUID === current || undefined}
          title={each.SeriesDescription}
          onClick={() => { onPick(each.SeriesInstanceUID); }}
        >
          <Thumbnail address={each.thumbnail} modality={each.Modality} size_px={88} />
          <span className={styles.stripWords}>
            <ModalityBadge modality={each.Modality} />
            <span>{formatCount(each.NumberOfSeriesRelatedInstances)}</span>
          </span>
          <span className={styles.stripTitle}>{each.SeriesDescription}</span>
        </UnstyledButton>
      ))}
    </nav>
  );
}
