/** Who uses the console. */
import { createContext, use } from "react";

import type { Role, Session } from "../api/types";

export const SessionContext = createContext<Session | null>(null);

/** Within the shell somebody is always logged in. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("There is no session outside of the shell.");
  return session;
}

const RANKS: Record<Role, number> = { reader: 0, operator: 1, administrator: 2 };

/** Whether someone of this role may do what `needed` may. The service decides; the page only hides. */
export function hasRole(session: Session, needed: Role): boolean {
  return RANKS[session.role] >= RANKS[needed];
}

export const ROLE_WORDS: Record<Role, string> = {
  reader: "Reader",
  operator: "Operator",
  administrator: "Administrator",
};
