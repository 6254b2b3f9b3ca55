import { UnstyledButton } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";

import type { Series } from "../../../api/types";
import { ModalityBadge, formatBytes, formatCounted } from "../../../ui";
import { ItemMenu, type ItemActions } from "./ItemMenu";
import { Thumbnail } from "./Thumbnail";
import styles from "./panel.module.css";

interface SeriesCardProps extends ItemActions {
  series: Series;
  isOpen: boolean;
  onToggle: () => void;
}

const THUMBNAIL_PX = 64;

export function SeriesCard(props: SeriesCardProps) {
  const { series, isOpen } = props;
  const title = series.SeriesDescription || series.BodyPartExamined || "No description";
  return (
    <div className={styles.card} data-open={isOpen || undefined}>
      <UnstyledButton
        className={styles.look}
        aria-label={props.onShow ? `Preview ${title}` : `Attributes of ${title}`}
        title={props.onShow ? "Preview" : "Attributes"}
        onClick={props.onShow ?? props.onReadAttributes}
      >
        <Thumbnail address={series.thumbnail} modality={series.Modality} size_px={THUMBNAIL_PX} />
      </UnstyledButton>
      <UnstyledButton className={styles.cardBody} aria-expanded={isOpen} onClick={props.onToggle}>
        <span className={styles.cardTitle}>
          <ModalityBadge modality={series.Modality} />
          <span title={title}>{title}</span>
        </span>
        <span className={styles.cardLine}>
          {series.SeriesNumber && `Series ${series.SeriesNumber} · `}
          {formatCounted(series.NumberOfSeriesRelatedInstances, "instance")} · {formatBytes(series.size_bytes)}
        </span>
      </UnstyledButton>
      <IconChevronRight size={16} className={styles.chevron} aria-hidden />
      <ItemMenu
        what="series"
        onShow={props.onShow}
        onReadAttributes={props.onReadAttributes}
        onSend={props.onSend}
        onExport={props.onExport}
        onDelete={props.onDelete}
      />
    </div>
  );
}
