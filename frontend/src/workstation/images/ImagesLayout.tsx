import { useMemo } from "react";

import { useWorkspace } from "../model/store";
import styles from "./images.module.css";
import { activeOf, tilesOf, useLooking } from "./model";
import { SeriesStrip } from "./SeriesStrip";
import { Tile } from "./Tile";

const COLUMNS = [1, 1, 2, 3, 2, 3, 3];

/** Everything as it is: single images, films, recordings and documents, some of them side by side. */
export function ImagesLayout() {
  const images = useWorkspace((state) => state.doc.images);
  const base = useWorkspace((state) => state.doc.base);
  const opening = useWorkspace((state) => state.opening);
  const tiles = useMemo(() => tilesOf({ images, base }, opening), [images, base, opening]);
  const active = activeOf(tiles, useLooking((state) => state.active));
  const wished = useLooking((state) => state.alone);
  const alone = tiles.includes(wished) ? wished : "";
  const shown = alone ? [alone] : tiles;
  return (
    <div className={styles.page}>
      <SeriesStrip tiles={tiles} />
      <div className={styles.tiles} style={{ gridTemplateColumns: `repeat(${String(COLUMNS[shown.length] ?? 3)}, minmax(0, 1fr))` }}>
        {shown.map((series) => (
          <Tile key={series} series={series} isActive={series === active} isAlone={series === alone} isOneOfMany={tiles.length > 1} />
        ))}
        {!tiles.length && <p className={styles.none}>This study has no series.</p>}
      </div>
    </div>
  );
}
