/** Finds where regions of another frame lie in the base's, each once for each base. */
import { askRegion } from "../../api/volumes";
import type { RegionShape } from "../../api/workstation";
import { measuredView } from "./making";
import { shapeOf } from "./shapes";
import { useWorkspace } from "./store";

/** From now on; the answer ends it. */
export function startShowing(): () => void {
  const asked = new Map<string, RegionShape>();
  const look = () => {
    const state = useWorkspace.getState();
    const base = state.doc.base?.series;
    if (!base || !state.facts[base]) return;
    for (const region of state.doc.regions) {
      const { shape } = region;
      const key = `${state.id} ${base} ${region.id}`;
      const view = measuredView(state, region.series);
      if (asked.get(key) === shape || !view || shapeOf(state, region)) continue;
      asked.set(key, shape);
      const ask = { series: view, rule: { kind: "shape", shape } as const, also: [], name: region.name, base };
      askRegion(ask, state.database).then(
        ({ shown }) => {
          const now = useWorkspace.getState();
          // Another way may count by now, or other voxels.
          if (now.id === state.id && now.doc.base?.series === base && asked.get(key) === shape) now.setShown(region.id, shown, shape);
          // The base may come back.
          if (asked.get(key) === shape) asked.delete(key);
        },
        // No way from there to here: it is not drawn, and its row says so.
        () => undefined,
      );
    }
  };
  const unsubscribe = useWorkspace.subscribe((now, before) => {
    // What was refused, or is on its way, was asked about series as they lay then.
    if (now.facts !== before.facts) asked.clear();
    if (now.doc.regions !== before.doc.regions || now.facts !== before.facts) look();
  });
  look();
  return unsubscribe;
}
