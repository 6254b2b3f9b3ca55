import { Loader, UnstyledButton } from "@mantine/core";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

import type { Place } from "../../../api/studies";
import type { Instance } from "../../../api/types";
import { ErrorBox } from "../../../ui";
import { ItemMenu } from "./ItemMenu";
import { Thumbnail } from "./Thumbnail";
import styles from "./panel.module.css";
import { useInstances } from "./reading";

interface InstanceActions {
  onShow: (at: number) => void;
  onReadAttributes: (at: number) => void;
  /** For those who may. */
  onSend?: ((instance: Instance) => void) | undefined;
  onExport?: ((instance: Instance) => void) | undefined;
  onDelete?: ((instance: Instance) => void) | undefined;
}

interface InstanceGridProps extends InstanceActions {
  place: Place;
  modality: string;
}

const CELL_PX = 76;
const THUMBNAIL_PX = 72;
const LINE_PX = 94;

/** The instances of a series as small pictures; only those in view are there. */
export function InstanceGrid({ place, ...props }: InstanceGridProps) {
  const { data, error, refetch } = useInstances(place);
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <div className={styles.waiting}>
        <Loader size={16} />
      </div>
    );
  }
  return <Grid instances={data} {...props} />;
}

interface GridProps extends InstanceActions {
  instances: Instance[];
  modality: string;
}

function Grid({ instances, ...props }: GridProps) {
  const { ref: sizeRef, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const ref = useMergedRef(scroller, sizeRef);
  const columns = Math.max(1, Math.floor((width || 400) / CELL_PX));
  const lines = useVirtualizer({
    count: Math.ceil(instances.length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 2,
    initialRect: { width: 400, height: 300 },
  });
  return (
    <div ref={ref} className={styles.grid} aria-label={`${String(instances.length)} instances`} role="group">
      <div style={{ height: lines.getTotalSize(), position: "relative" }}>
        {lines.getVirtualItems().map((line) => (
          <div key={line.key} className={styles.gridLine} style={{ transform: `translateY(${String(line.start)}px)` }}>
            {instances.slice(line.index * columns, (line.index + 1) * columns).map((instance, offset) => (
              <Cell key={instance.SOPInstanceUID} instance={instance} at={line.index * columns + offset} {...props} />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

interface CellProps extends InstanceActions {
  instance: Instance;
  modality: string;
  at: number;
}

function Cell({ instance, modality, at, onShow, onReadAttributes, onSend, onExport, onDelete }: CellProps) {
  const number = instance.InstanceNumber || "without number";
  const show = instance.thumbnail ? () => { onShow(at); } : undefined;
  const readAttributes = () => { onReadAttributes(at); };
  return (
    <div className={styles.instance}>
      <UnstyledButton
        className={styles.look}
        title={`${instance.sop_class_name}, ${instance.transfer_syntax_name}`}
        aria-label={`Instance ${number}`}
        onClick={show ?? readAttributes}
      >
        <Thumbnail address={instance.thumbnail} modality={modality} size_px={THUMBNAIL_PX} />
        <span className={styles.number}>{instance.InstanceNumber || "–"}</span>
      </UnstyledButton>
      <ItemMenu
        what="instance"
        className={styles.instanceMenu}
        onShow={show}
        onReadAttributes={readAttributes}
        onSend={onSend && (() => { onSend(instance); })}
        onExport={onExport && (() => { onExport(instance); })}
        onDelete={onDelete && (() => { onDelete(instance); })}
      />
    </div>
  );
}
