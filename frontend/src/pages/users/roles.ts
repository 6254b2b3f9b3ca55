/** What the three roles may do, each of them also what those before it may. */

import type { Role } from "../../api/types";

export const ROLES: Role[] = ["reader", "operator", "administrator"];

export const ROLE_MEANS: Record<Role, string> = {
  reader: "searches, views and downloads studies, and sees jobs",
  operator: "also stores, sends, retrieves, deletes and tries jobs again",
  administrator: "also changes peers, rules, settings, users, and reads the access log",
};

/** The roles that a token of somebody may have. */
export function rolesUpTo(role: Role): Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1);
}
