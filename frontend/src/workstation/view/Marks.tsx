import type { SeriesDisplay, VolumeFacts } from "../../api/workstation";
import { modalityOf } from "../../ui/modalities";
import { useWorkspace } from "../model/store";
import { edge, progressWords } from "../model/words";
import { useCard } from "./engine/card";
import { letterOf, opposite, positionWords, scaleBar, type PaneView } from "./planes";
import { cursorNow, type PaneSpec, type Shown } from "./scenes";
import { Values } from "./Values";
import styles from "./view.module.css";

/** As the field says it: width and level of HU, the two ends of everything else. */
function windowWords({ low, high }: SeriesDisplay, unit: string): string {
  if (unit === "HU") return `W ${edge(high - low)} L ${edge((low + high) / 2)}`;
  return `${edge(low)} – ${edge(high)} ${unit}`;
}

function SeriesLine({ facts }: { facts: VolumeFacts }) {
  const display = useWorkspace((state) => state.doc.display[facts.SeriesInstanceUID]);
  const loading = useWorkspace((state) => state.loading[facts.SeriesInstanceUID]);
  const isCoarse = useCard((card) => (card.levels[facts.id] ?? 0) > 0);
  const { color } = modalityOf(facts.Modality);
  return (
    <div className={styles.line}>
      <b style={{ color }}>{facts.Modality}</b> <span className={styles.name}>{facts.SeriesDescription}</span>
      {display && <span className={styles.quiet}>{windowWords(display, facts.unit)}</span>}
      {isCoarse && !loading && <span className={styles.loading}>coarse: no room for all voxels</span>}
      {loading && <span className={styles.loading}>{progressWords(loading)}</span>}
    </div>
  );
}

const THICK = { thin: "", mip: "MIP", minip: "MinIP", mean: "mean" } as const;

function Slab() {
  const slab = useWorkspace((state) => state.doc.slab_mm);
  const projection = useWorkspace((state) => state.doc.projection);
  if (projection === "thin" || slab <= 0) return null;
  return <span>{`, ${THICK[projection]} ${edge(slab)} mm`}</span>;
}

function Bar({ view }: { view: PaneView }) {
  const { mm, pixels } = scaleBar(view);
  return (
    <div className={styles.scale}>
      <span>{mm >= 10 ? `${mm / 10} cm` : `${mm} mm`}</span>
      <i style={{ width: pixels }} />
    </div>
  );
}

/** What is always visible: which side is which, how large, where, what, and how bright. */
export function Marks({ spec, shown, view }: { spec: PaneSpec; shown: Shown; view: PaneView }) {
  const isHidden = useWorkspace((state) => state.is_overlay_hidden);
  const all = [shown.below, isHidden ? null : shown.above].filter((facts) => facts !== null);
  const at = cursorNow(shown);
  return (
    <div className={styles.marks}>
      <div className={styles.series}>
        {all.map((facts) => (
          <SeriesLine key={facts.SeriesInstanceUID} facts={facts} />
        ))}
      </div>
      <div className={styles.position}>
        {view.lean_degrees > 0 && <b className={styles.oblique}>{`● oblique ${view.lean_degrees.toFixed(0)}°`}</b>}
        {positionWords(view, at)}
        <Slab />
      </div>
      <b className={styles.top}>{letterOf(opposite(view.down))}</b>
      <b className={styles.bottom}>{letterOf(view.down)}</b>
      <b className={styles.left}>{letterOf(opposite(view.right))}</b>
      <b className={styles.right}>{letterOf(view.right)}</b>
      <div className={styles.corner}>
        <Values pane={spec.pane} shown={shown} />
        <Bar view={view} />
      </div>
    </div>
  );
}
