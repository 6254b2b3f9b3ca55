import type { RefObject } from "react";

import { useStage } from "../../../pages/studies/preview/useStage";
import type { Window } from "../../../pages/studies/preview/windows";
import { useWorkspace } from "../../model/store";

const LEFT = { pan: 1, zoom: 2 } as const;

/** The stage of the preview, whose left button does what the tool of the workstation says. */
export function useTouch(stage: RefObject<HTMLElement | null>, window: Window | null, onWindow: ((window: Window) => void) | null) {
  const tool = useWorkspace((state) => state.tool);
  return useStage(stage, window, onWindow, tool === "pan" || tool === "zoom" ? LEFT[tool] : 0);
}
