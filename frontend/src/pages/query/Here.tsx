import { IconCircleCheck, IconCircleHalf2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import type { StudyHolding } from "../../api/types";
import { formatCount } from "../../ui";
import classes from "./query.module.css";

/** How many images of a study are here; asked for what is in sight only. */
function useHere(study: string): number | null {
  const { data } = useQuery({
    queryKey: ["studies", "here", study],
    queryFn: async ({ signal }) =>
      (await get<StudyHolding>(`/studies/${encodeURIComponent(study)}/holding`, {}, signal)).instances,
    enabled: study !== "",
    staleTime: 10_000,
    retry: false,
  });
  return data ?? null;
}

/** "240 of 240": what of a study at a peer is here already. */
export function Here({ study, there }: { study: string; there: number | null }) {
  const here = useHere(study);
  if (here === null) return null;
  if (here === 0) return <span className={classes.dim}>not here</span>;
  const isWhole = there !== null && here >= there;
  const HereIcon = isWhole ? IconCircleCheck : IconCircleHalf2;
  return (
    <span className={classes.here} title={`${formatCount(here)} images are here${there === null ? "" : `, ${formatCount(there)} there`}`}>
      <HereIcon size={15} className={isWhole ? classes.whole : classes.part} aria-hidden />
      {wordsOf(here, there)}
    </span>
  );
}

/** More may be here than there: from elsewhere, or gone there. */
function wordsOf(here: number, there: number | null): string {
  if (there === null) return formatCount(here);
  return here > there ? `${formatCount(here)}, there ${formatCount(there)}` : `${formatCount(here)} of ${formatCount(there)}`;
}
