import { useRef } from "react";

import { PairMarks } from "../registering/PairMarks";
import { NotRegistered } from "../panels/NotRegistered";
import { ReasonBar } from "../panels/ReasonBar";
import { useWorkspace } from "../model/store";
import { Crosshair } from "./Crosshair";
import { Drawings } from "./Drawings";
import { useCard } from "./engine/card";
import { Marks } from "./Marks";
import { blockedIn, type PaneSpec } from "./scenes";
import { usePaneTools } from "./tools/usePaneTools";
import { useDrawn, usePaneView, useRoom, useShown, useSpec } from "./useDrawnPane";
import styles from "./view.module.css";

/** The series that the pane is about, for its reason bar. */
function reasonSeries(state: ReturnType<typeof useWorkspace.getState>, role: PaneSpec["role"]): string | undefined {
  const { base, overlay, prior } = state.doc;
  if (role === "prior") return prior?.series;
  return (role === "base" ? base : (overlay ?? base))?.series;
}

/** A plane through one or two series: wheel = slice, left = tool, middle = pan, right = zoom. */
export function PlanePane(props: PaneSpec) {
  const spec = useSpec(props);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useRoom(box);
  useDrawn(canvas, spec, room);
  const shown = useShown(spec);
  const view = usePaneView(spec, shown, room);
  const blocked = useWorkspace((state) => blockedIn(state, spec.role));
  const reason = useWorkspace((state) => reasonSeries(state, spec.role));
  const refusal = useCard((card) => card.refusal);
  const tools = usePaneTools(box, spec, shown, view);

  return (
    <section className={styles.pane} aria-label={`${spec.plane} ${spec.role}`} data-pane={spec.pane} data-role={spec.role}>
      <div className={styles.stage}>
        <div className={styles.picture} ref={box} tabIndex={0} {...tools}>
          <canvas className={styles.canvas} ref={canvas} />
          {refusal && <div className={styles.waiting} role="alert">{refusal}</div>}
          {shown && view && (
            <>
              <Drawings spec={spec} shown={shown} view={view} />
              <PairMarks spec={spec} shown={shown} view={view} />
              <Crosshair shown={shown} view={view} />
              <Marks spec={spec} shown={shown} view={view} />
            </>
          )}
        </div>
        {blocked && <NotRegistered series={blocked} />}
      </div>
      <ReasonBar series={reason} />
    </section>
  );
}
