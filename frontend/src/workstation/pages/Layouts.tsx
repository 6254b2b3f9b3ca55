import { ImagesLayout } from "../images/ImagesLayout";
import { LAYOUTS, layoutOf, type Pane } from "../model/layouts";
import { useWorkspace } from "../model/store";
import { CannotShow } from "../panels/NotRegistered";
import { MipPane, PlanePane } from "../view";
import styles from "./workstation.module.css";

/** The panes, as the layout has them; the one that was made big, alone. */
export function Layouts() {
  const layout = useWorkspace((state) => layoutOf(state.doc.layout));
  const maximised = useWorkspace((state) => state.maximised);
  const base = useWorkspace((state) => state.doc.base?.series);
  const { template, panes } = LAYOUTS[layout];
  const alone = panes.find((pane) => pane.id === maximised);
  if (layout === "images") return <ImagesLayout />;
  return (
    <div className={styles.panes} style={{ gridTemplate: alone ? `"${alone.area}" 1fr / 1fr` : template }}>
      {(alone ? [alone] : panes).map((pane) => (
        <div key={pane.id} className={styles.pane} style={{ gridArea: pane.area }}>
          {pane.shows === "mip" ? <MipPane pane={pane.id} /> : <PlanePane pane={pane.id} plane={pane.shows} role={pane.role} />}
          <CannotShow series={seriesOf(pane, base)} />
        </div>
      ))}
    </div>
  );
}

/** Without which the pane is empty. */
function seriesOf(pane: Pane, base: string | undefined): string | undefined {
  return pane.role === "base" || pane.role === "fused" ? base : undefined;
}
