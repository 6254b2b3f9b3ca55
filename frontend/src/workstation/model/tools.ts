/** The tools of the left button: one table for the rail, the keys and the help. */
import {
  IconAngle,
  IconArrowUpRight,
  IconBrush,
  IconCircleDashed,
  IconContrast,
  IconCrosshair,
  IconEraser,
  IconHandMove,
  IconLasso,
  IconOvalVertical,
  IconPlant,
  IconRuler2,
  IconTarget,
  IconZoomIn,
  type Icon,
} from "@tabler/icons-react";

import type { Tool } from "./state";

export interface ToolLook {
  tool: Tool;
  label: string;
  key: string;
  icon: Icon;
}

/** In groups: looking, measuring, outlining. */
export const TOOLS: readonly (readonly ToolLook[])[] = [
  [
    { tool: "window", label: "Window", key: "w", icon: IconContrast },
    { tool: "crosshair", label: "Crosshair: all panes to one point", key: "v", icon: IconCrosshair },
    { tool: "pan", label: "Move the image", key: "p", icon: IconHandMove },
    { tool: "zoom", label: "Zoom", key: "m", icon: IconZoomIn },
  ],
  [
    { tool: "length", label: "Length", key: "l", icon: IconRuler2 },
    { tool: "angle", label: "Angle", key: "a", icon: IconAngle },
    { tool: "arrow", label: "Arrow with a note", key: "n", icon: IconArrowUpRight },
  ],
  [
    { tool: "threshold", label: "Lesion by threshold: click into the hot spot", key: "t", icon: IconTarget },
    { tool: "sphere", label: "Ball", key: "o", icon: IconCircleDashed },
    { tool: "ellipse", label: "Ellipse in this slice", key: "e", icon: IconOvalVertical },
    { tool: "grow", label: "Grow from a point", key: "g", icon: IconPlant },
    { tool: "brush", label: "Brush", key: "d", icon: IconBrush },
    { tool: "eraser", label: "Eraser", key: "shift+d", icon: IconEraser },
    { tool: "contour", label: "Contours", key: "k", icon: IconLasso },
  ],
];
