import { useEffect, useRef, useState } from "react";

import { readValues } from "../../api/volumes";
import type { SeriesValues, Vector } from "../../api/workstation";
import { modalityOf } from "../../ui/modalities";
import { viewsOf } from "../model/document";
import { asProposed } from "../model/placing";
import { useWorkspace } from "../model/store";
import { edge, figure } from "../model/words";
import type { Shown } from "./scenes";
import styles from "./view.module.css";

interface Known {
  /** What was shown then. */
  of: string;
  values: SeriesValues[];
}

/** Values of the voxels under the pointer, from the service; one question at a time, the newest next. */
function useValuesAt(point: Vector | null, shown: Shown): SeriesValues[] {
  const [known, setKnown] = useState<Known | null>(null);
  const wanted = useRef<Vector | null>(null);
  const isAsking = useRef(false);
  const { below, above, isAlone } = shown;
  const of = [below?.id, above?.id].join();

  useEffect(() => {
    wanted.current = point;
    if (!point || isAsking.current) return;
    const all = [below, above].filter((facts) => facts !== null).map((facts) => facts.SeriesInstanceUID);
    const ask = async () => {
      isAsking.current = true;
      for (let next = wanted.current; next; next = wanted.current === next ? null : wanted.current) {
        const { doc, database, proposed, placed } = useWorkspace.getState();
        // What is moved here in the page lies where the service does not know it.
        const series = viewsOf(doc)
          .filter((view) => all.includes(view.series) && (isAlone || placed?.series !== view.series))
          .map((view) => (isAlone ? view : asProposed(view, { doc, proposed })));
        if (!series.length) break;
        const base = isAlone ? null : (doc.base?.series ?? null);
        try {
          setKnown({ of, values: await readValues({ base, series, points_mm: [next] }, database) });
        } catch {
          // No value is shown then.
          setKnown(null);
        }
      }
      isAsking.current = false;
    };
    void ask();
  }, [point, below, above, isAlone, of]);
  return point && known?.of === of ? known.values : [];
}

function words({ values, unit }: SeriesValues): string {
  const value = values[0];
  if (value === null || value === undefined) return "outside";
  return `${unit === "HU" ? edge(Math.round(value)) : figure(value)} ${unit}`;
}

/** HU and SUV of the place under the pointer. */
export function Values({ pane, shown }: { pane: string; shown: Shown }) {
  const point = useWorkspace((state) => (state.hover?.pane === pane ? state.hover.point_mm : null));
  const values = useValuesAt(point, shown);
  return (
    <div className={styles.values}>
      {values.map((each) => {
        const facts = [shown.below, shown.above].find((one) => one?.SeriesInstanceUID === each.series);
        return (
          <div key={each.series}>
            <b style={{ color: modalityOf(facts?.Modality ?? "").color }}>{facts?.Modality}</b> {words(each)}
          </div>
        );
      })}
    </div>
  );
}
