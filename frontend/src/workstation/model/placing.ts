/** Series that lie where a registration would put them that nobody has accepted: proposed by a job, or moved here. */
import type { View, VolumeFacts } from "../../api/workstation";
import type { Known } from "./state";

type Doc = Pick<Known, "doc">;

/** The view as it is asked for while a registration of it is proposed. */
export function asProposed(view: View, { doc, proposed }: Doc & Pick<Known, "proposed">): View {
  const base = doc.base?.series;
  if (!proposed || view.series === base) return view;
  const pair = [proposed.fixed, proposed.moving];
  return base !== undefined && pair.includes(base) && pair.includes(view.series) ? { ...view, proposed: proposed.job } : view;
}

/** The matrix by which a series is moved before it is drawn over the base; null where it is not. */
export function placeOn(facts: VolumeFacts, { placed }: Pick<Known, "placed">): readonly number[] | null {
  if (placed?.series !== facts.SeriesInstanceUID || !placed.matrix) return null;
  return placed.isAlone === (facts.alignment.kind === "base") ? placed.matrix : null;
}
