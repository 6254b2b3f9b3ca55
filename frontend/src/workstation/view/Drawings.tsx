import { useMemo } from "react";
import { useShallow } from "zustand/react/shallow";

import type { KeptLine, KeptRegion, RegionShape, Vector } from "../../api/workstation";
import { curveThrough } from "../delineating/contours";
import { useBurden } from "../delineating/burden";
import { labelOf } from "../measuring/words";
import { useAsking } from "../model/asking";
import { isLineHere, shapeOf } from "../model/shapes";
import { useWorkspace } from "../model/store";
import { figure } from "../model/words";
import { dot, subtract } from "./engine/vectors";
import { cornersOf, maskOf, outlineOf } from "./outlines";
import { placeOf, type PaneView, type Room } from "./planes";
import type { PaneSpec, Shown } from "./scenes";
import { useSketch } from "./tools/sketch";
import styles from "./view.module.css";

interface OutlineProps {
  shape: RegionShape;
  view: PaneView;
  className: string | undefined;
  colour: string;
  onPointerDown?: () => void;
}

/** A region's edge in this plane. */
function ShapeOutline({ shape, view, className, colour, onPointerDown }: OutlineProps) {
  const depth = dot(view.centre_mm, view.normal);
  const [right, down] = [view.right.join(), view.down.join()];
  const outline = useMemo(
    () => outlineOf(maskOf(shape), view, view.centre_mm),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- moving within the plane changes no outline
    [shape, depth, right, down],
  );
  if (!outline) return null;
  const [x, y] = placeOf(view, outline.from_mm);
  const scale = 1 / view.mm_per_pixel;
  return (
    <path
      d={outline.path} className={className} style={{ stroke: colour }}
      transform={`matrix(${scale} 0 0 ${scale} ${x} ${y})`} onPointerDown={onPointerDown}
    />
  );
}

/** Where it is drawn, and the prior's series where that is shown there. */
interface RegionProps {
  region: KeptRegion;
  view: PaneView;
  priorOnly: string | null;
}

function RegionOutline({ region, view, priorOnly }: RegionProps) {
  const shape = useWorkspace((state) => shapeOf(state, region));
  const isSelected = useWorkspace((state) => state.selection === region.id);
  const select = useWorkspace((state) => state.select);
  if (!shape) return null;
  return (
    <>
      <ShapeOutline
        shape={shape} view={view} className={isSelected ? styles.chosen : styles.outline}
        colour={`rgb(${region.colour.join(" ")})`} onPointerDown={() => { select(region.id); }}
      />
      {(isSelected || region.kind === "measurement") && <NumbersLabel {...{ region, shape, view, priorOnly }} />}
    </>
  );
}

const [LINE_PX, LETTER_PX, GAP_PX] = [13, 6.2, 6];
/** Of the pane's width, that a line of numbers may take. */
const SHARE = 0.48;

/** At the right of what it is of; at its left where there is more room, and never beyond the pane. */
export function labelPlace(of: { left: number; right: number; top: number }, lines: readonly string[], { width, height }: Room) {
  const wide = Math.max(...lines.map((line) => line.length)) * LETTER_PX;
  const isRight = of.right + GAP_PX + wide <= width || width - of.right >= of.left;
  const x = isRight
    ? Math.max(GAP_PX, Math.min(of.right + GAP_PX, width - wide))
    : Math.min(width - GAP_PX, Math.max(of.left - GAP_PX, wide));
  const y = Math.max(LINE_PX, Math.min(of.top + 10, height - LINE_PX * lines.length));
  return { x, y, anchor: isRight ? "start" : "end" } as const;
}

/** Beside the region: what it holds in every series, as the service says; on the prior what that held there. */
function NumbersLabel({ region, shape, view, priorOnly }: RegionProps & { shape: RegionShape }) {
  const prior = useWorkspace((state) => state.doc.prior?.series);
  const isBusy = useAsking((state) => state.regions.includes(region.id));
  const corners = cornersOf(shape).map((point) => placeOf(view, point));
  const depths = corners.map(([, , depth]) => depth);
  if (Math.min(...depths) > 0 || Math.max(...depths) < 0) return null;
  const numbers = region.numbers.filter(({ SeriesInstanceUID: series }) =>
    priorOnly ? series === priorOnly : series !== prior || series === region.series,
  );
  const letters = Math.floor((SHARE * view.width) / LETTER_PX);
  const lines = [region.name, ...(isBusy ? ["measuring …"] : numbers.flatMap((each) => labelOf(each, letters)))];
  const [across, down] = [corners.map(([each]) => each), corners.map(([, each]) => each)];
  const { x, y, anchor } = labelPlace({ left: Math.min(...across), right: Math.max(...across), top: Math.min(...down) }, lines, view);
  return (
    <text className={styles.label} textAnchor={anchor} style={{ fill: `color-mix(in srgb, rgb(${region.colour.join(" ")}) 60%, white)` }}>
      {lines.map((line, which) => <tspan key={`${String(which)} ${line}`} x={x} y={y + LINE_PX * which}>{line}</tspan>)}
    </text>
  );
}

/** A line lies in a plane: it is shown where that is, and a little around. */
const NEAR_MM = 2;

function isNear(points: readonly Vector[], view: PaneView): boolean {
  return points.every((point) => Math.abs(dot(subtract(point, view.centre_mm), view.normal)) <= NEAR_MM);
}

type Drawn = Pick<KeptLine, "kind" | "points_mm" | "text" | "value" | "unit">;

export function lineWords({ text, value, unit }: Pick<KeptLine, "text" | "value" | "unit">): string {
  return [text, value === null ? "" : `${figure(value)} ${unit}`].filter(Boolean).join(" ");
}

function Line({ line, view, isSelected }: { line: Drawn; view: PaneView; isSelected: boolean }) {
  const places = line.points_mm.map((point) => placeOf(view, point));
  const [first] = places;
  const last = places.at(-1);
  if (!first || !last) return null;
  const path = places.map(([x, y], which) => `${which ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return (
    <g className={isSelected ? styles.chosenLine : styles.lineShape}>
      <path className={styles.halo} d={path} />
      <path d={path} markerStart={line.kind === "arrow" ? "url(#rf-arrow)" : undefined} />
      {line.kind !== "arrow" && places.map(([x, y], which) => <circle key={which} cx={x} cy={y} r={2.5} />)}
      <text x={last[0] + 6} y={last[1] - 6}>{lineWords(line)}</text>
    </g>
  );
}

function Lines({ view }: { view: PaneView }) {
  const lines = useWorkspace((state) => state.doc.lines);
  const selection = useWorkspace((state) => state.selection);
  const here = useWorkspace(useShallow((state) => state.doc.lines.map((line) => isLineHere(state, line))));
  const near = lines.filter((line, which) => here[which] && isNear(line.points_mm, view));
  return near.map((line) => <Line key={line.id} line={line} view={view} isSelected={line.id === selection} />);
}

/** The points that were clicked, and the curve that they would close to. */
function Curve({ points, view }: { points: readonly Vector[]; view: PaneView }) {
  const words = (all: readonly Vector[]) =>
    all.map((point) => placeOf(view, point).slice(0, 2).map((each) => each.toFixed(1)).join()).join(" ");
  return (
    <g>
      <polygon className={styles.sketch} points={words(curveThrough(points))} />
      {points.map((point) => {
        const [x, y] = placeOf(view, point);
        return <circle key={point.join()} className={styles.knot} cx={x} cy={y} r={3} />;
      })}
    </g>
  );
}

const BRUSHES: readonly string[] = ["brush", "eraser"];

/** How large the brush is, under the pointer. */
function Brush({ pane, view }: { pane: string; view: PaneView }) {
  const point = useWorkspace((state) => (BRUSHES.includes(state.tool) && state.hover?.pane === pane ? state.hover.point_mm : null));
  const width_mm = useWorkspace((state) => state.options.brush_mm);
  if (!point) return null;
  const [x, y] = placeOf(view, point);
  return <circle className={styles.sketch} cx={x} cy={y} r={width_mm / 2 / view.mm_per_pixel} />;
}

/** The candidates of the worklist, broken lines; the one that is looked at, thick. */
function Candidates({ view }: { view: PaneView }) {
  const { candidates, workspace, chosen } = useBurden();
  const id = useWorkspace((state) => state.id);
  const frame = useWorkspace((state) => state.doc.base && state.facts[state.doc.base.series]?.FrameOfReferenceUID);
  if (workspace !== id) return null;
  return candidates.map(({ shape, shown }, which) => {
    const drawn = shown ?? shape;
    if (drawn.grid.FrameOfReferenceUID !== frame) return null;
    return <ShapeOutline key={drawn.runs + drawn.bounds.join()} shape={drawn} view={view} className={which === chosen ? styles.chosen : styles.candidate} colour="#fff" />;
  });
}

/** What is being drawn just now. */
function Sketch({ pane, view }: { pane: string; view: PaneView }) {
  const sketch = useSketch((state) => (state.sketch?.pane === pane ? state.sketch : null));
  if (!sketch) return null;
  if (sketch.kind === "line") return <Line line={sketch.line} view={view} isSelected />;
  if (sketch.kind === "round") {
    const [x, y] = placeOf(view, sketch.centre_mm);
    const [rx, ry] = sketch.radii_mm.map((each) => each / view.mm_per_pixel);
    return <ellipse className={styles.sketch} cx={x} cy={y} rx={rx} ry={ry} />;
  }
  if (sketch.kind === "curve") return <Curve points={sketch.points_mm} view={view} />;
  const points = sketch.points_mm.map((point) => placeOf(view, point).slice(0, 2).map((each) => each.toFixed(1)).join());
  return (
    <polyline
      className={sketch.kind === "brush" ? styles.brush : styles.sketch}
      points={points.join(" ")}
      strokeWidth={sketch.kind === "brush" ? sketch.width_mm / view.mm_per_pixel : undefined}
    />
  );
}

/** Outlines and lines, in panes that lie in the frame of the base. */
export function Drawings({ spec, shown, view }: { spec: PaneSpec; shown: Shown; view: PaneView }) {
  const regions = useWorkspace((state) => state.doc.regions);
  if (shown.isAlone) return null;
  const priorOnly = spec.role === "prior" ? (shown.below?.SeriesInstanceUID ?? null) : null;
  return (
    <svg className={styles.over}>
      <defs>
        <marker id="rf-arrow" viewBox="0 0 10 10" refX="1" refY="5" markerWidth="8" markerHeight="8" orient="auto">
          <path d="M10 0L0 5L10 10z" />
        </marker>
      </defs>
      {regions.filter((each) => each.is_visible).map((each) => <RegionOutline key={each.id} region={each} view={view} priorOnly={priorOnly} />)}
      <Lines view={view} />
      <Sketch pane={spec.pane} view={view} />
      <Brush pane={spec.pane} view={view} />
      <Candidates view={view} />
    </svg>
  );
}
