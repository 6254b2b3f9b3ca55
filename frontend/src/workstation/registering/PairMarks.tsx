import type { Box, Sphere } from "../../api/registering";
import type { Vector } from "../../api/workstation";
import { placeOf, type PaneView } from "../view/planes";
import type { PaneSpec, Shown } from "../view/scenes";
import styles from "./registering.module.css";
import { cutOf, isBox } from "./part";
import { useRegistering } from "./store";
import { sideOf } from "./tools";

/** A place is shown where it is, and a little around. */
const NEAR_MM = 4;

function Mark({ view, point, label, isHalf }: { view: PaneView; point: Vector; label: string; isHalf?: boolean }) {
  const [x, y, away] = placeOf(view, point);
  if (Math.abs(away) > NEAR_MM) return null;
  return (
    <g className={styles.mark} data-half={isHalf || undefined}>
      <path d={`M${String(x - 7)} ${String(y)}h14M${String(x)} ${String(y - 7)}v14`} />
      <circle cx={x} cy={y} r={4.5} />
      <text x={x + 8} y={y - 6}>{label}</text>
    </g>
  );
}

/** Where the plane cuts what is compared. */
function PartEdge({ region, shown, view }: { region: Sphere | Box; shown: Shown; view: PaneView }) {
  if (isBox(region)) {
    const corners = cutOf(shown.anchor, region, view.centre_mm, view.normal).map((point) => placeOf(view, point).slice(0, 2).join());
    return corners.length > 0 && <polygon className={styles.part} points={corners.join(" ")} />;
  }
  const [x, y, away] = placeOf(view, region.centre);
  const cut = region.radius_mm ** 2 - away ** 2;
  return cut > 0 && <circle className={styles.part} cx={x} cy={y} r={Math.sqrt(cut) / view.mm_per_pixel} />;
}

/** The places that were clicked, and the part that is compared, in both images. */
export function PairMarks({ spec, shown, view }: { spec: PaneSpec; shown: Shown; view: PaneView }) {
  const { isOpen, pairs, half, region, proposal } = useRegistering();
  const side = isOpen && !proposal ? sideOf({ spec, shown }) : null;
  if (!side) return null;
  return (
    <svg className={styles.marks} aria-hidden>
      {pairs.map((pair, at) => <Mark key={at} view={view} point={pair[side]} label={String(at + 1)} />)}
      {half[side] && <Mark view={view} point={half[side]} label={String(pairs.length + 1)} isHalf />}
      {side === "fixed" && region && <PartEdge region={region} shown={shown} view={view} />}
    </svg>
  );
}
