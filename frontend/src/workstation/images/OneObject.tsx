import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { useInstances } from "../../pages/studies/panel/reading";
import { ErrorBox } from "../../ui";
import { useWorkspace } from "../model/store";
import styles from "./images.module.css";
import { useLooking, type Placed } from "./model";
import { ObjectPicker } from "./ObjectPicker";

interface OneObjectProps<Facts> {
  placed: Placed;
  /** Of what is read, for the memory of answers. */
  kind: string;
  read: (instance: string, database: string, signal: AbortSignal) => Promise<Facts>;
  children: (facts: Facts, database: string, instance: string) => ReactNode;
}

/** A series of which one object is shown at a time: the one that was asked for, picked, or the first. */
export function OneObject<Facts>({ placed: { series, study }, kind, read, children }: OneObjectProps<Facts>) {
  const database = useWorkspace((state) => state.database);
  const wanted = useLooking((state) => state.wanted[series.SeriesInstanceUID]);
  const instances = useInstances({ study: study.StudyInstanceUID, series: series.SeriesInstanceUID, database });
  const [picked, pick] = useState("");
  const instance = picked || wanted?.instance || instances.data?.[0]?.SOPInstanceUID || "";
  const facts = useQuery({
    queryKey: [kind, instance, database],
    queryFn: ({ signal }) => read(instance, database, signal),
    enabled: instance !== "",
    staleTime: Infinity,
  });
  const error = instances.error ?? facts.error;
  return (
    <div className={styles.stack}>
      <ObjectPicker instances={instances.data ?? []} value={instance} onPick={pick} />
      {error ? <ErrorBox error={error} /> : facts.data ? children(facts.data, database, instance) : <Loader size="sm" m="md" aria-label="Being read" />}
    </div>
  );
}
