/** What the rail lists, for whom, and the letter that follows "g". */
import {
  IconActivity,
  IconArrowsSplit2,
  IconListCheck,
  IconHistory,
  IconLayoutList,
  IconSearch,
  IconServer2,
  IconSettings,
  IconUsers,
  type Icon,
} from "@tabler/icons-react";

import type { Role } from "../api/types";

export interface RailPage {
  path: string;
  label: string;
  icon: Icon;
  letter: string;
  role: Role;
}

/** In groups: daily work, where images come from and go to, this node. */
export const RAIL: readonly (readonly RailPage[])[] = [
  [
    { path: "/", label: "Studies", icon: IconLayoutList, letter: "s", role: "reader" },
    { path: "/query", label: "Query", icon: IconSearch, letter: "q", role: "operator" },
    { path: "/jobs", label: "Jobs", icon: IconListCheck, letter: "j", role: "reader" },
  ],
  [
    { path: "/peers", label: "Peers", icon: IconServer2, letter: "p", role: "reader" },
    { path: "/rules", label: "Rules", icon: IconArrowsSplit2, letter: "r", role: "operator" },
  ],
  [
    { path: "/status", label: "Status", icon: IconActivity, letter: "t", role: "reader" },
    { path: "/audit", label: "Access log", icon: IconHistory, letter: "a", role: "administrator" },
    { path: "/users", label: "Users", icon: IconUsers, letter: "u", role: "administrator" },
    { path: "/settings", label: "Settings", icon: IconSettings, letter: "e", role: "administrator" },
  ],
];

export function isAt(path: string, current: string): boolean {
  return path === "/" ? current === "/" : current === path || current.startsWith(`${path}/`);
}
