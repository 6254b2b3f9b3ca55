import { useWorkspace } from "../model/store";
import { placeOf, type PaneView } from "./planes";
import { cursorNow, type Shown } from "./scenes";
import styles from "./view.module.css";

/** Half of the gap in the middle: what one looks at is not covered. */
const GAP = 14;

/** Where the linked panes look. */
export function Crosshair({ shown, view }: { shown: Shown; view: PaneView }) {
  const isShown = useWorkspace((state) => state.is_crosshair_shown);
  const cursor = useWorkspace((state) => state.doc.cursor_mm);
  if (!isShown || (!cursor && !shown.isAlone)) return null;
  const [x, y] = placeOf(view, cursorNow(shown));
  const { width, height } = view;
  return (
    <svg className={styles.over} aria-hidden>
      <path
        className={styles.cross}
        d={`M0 ${y}H${Math.max(0, x - GAP)}M${Math.min(width, x + GAP)} ${y}H${width}M${x} 0V${Math.max(0, y - GAP)}M${x} ${Math.min(height, y + GAP)}V${height}`}
      />
    </svg>
  );
}
