import { Select } from "@mantine/core";

import type { Instance } from "../../api/types";
import styles from "./images.module.css";

interface ObjectPickerProps {
  instances: readonly Instance[];
  value: string;
  onPick: (instance: string) => void;
}

/** Which object of a series; nothing where there is one. */
export function ObjectPicker({ instances, value, onPick }: ObjectPickerProps) {
  if (instances.length < 2) return null;
  const data = instances.map(({ SOPInstanceUID, InstanceNumber, sop_class_name }, at) => ({
    value: SOPInstanceUID,
    label: `${InstanceNumber || String(at + 1)} of ${String(instances.length)} · ${sop_class_name}`,
  }));
  return (
    <div className={styles.picker}>
      <Select size="xs" aria-label="Object of the series" allowDeselect={false} data={data} value={value} onChange={(next) => { if (next) onPick(next); }} />
    </div>
  );
}
