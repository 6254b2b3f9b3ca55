/** What a job's state is called and how it is shown: colour, icon and word, never colour alone. */
import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconClock,
  IconHourglass,
  IconPlayerPause,
  IconPlayerPlay,
  type Icon,
} from "@tabler/icons-react";

import type { JobState } from "../api/types";

export interface StateLook {
  word: string;
  /** A colour of the theme, see app/theme.ts. */
  color: string;
  icon: Icon;
}

export const STATES: Record<JobState, StateLook> = {
  queued: { word: "Queued", color: "var(--rf-quiet)", icon: IconClock },
  running: { word: "Running", color: "var(--rf-info)", icon: IconPlayerPlay },
  waiting: { word: "Waiting", color: "var(--rf-warn)", icon: IconHourglass },
  paused: { word: "Paused", color: "var(--rf-quiet)", icon: IconPlayerPause },
  done: { word: "Done", color: "var(--rf-good)", icon: IconCircleCheck },
  failed: { word: "Failed", color: "var(--rf-bad)", icon: IconAlertTriangle },
  cancelled: { word: "Cancelled", color: "var(--rf-quiet)", icon: IconBan },
};
