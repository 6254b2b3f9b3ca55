/** The access log in words. */

import type { AuditEntry } from "../../api/types";

/** What was done, as it is told when it was, and when it was only tried; to what, and to what unnamed. */
type Words = [done: string, tried: string, named: string, unnamed: string];

const WORDS: Record<string, Words> = {
  login: ["Logged in", "log in", "", ""],
  logout: ["Logged out", "log out", "", ""],
  access: ["Used", "use", "{}", "what is not for this user"],
  search: ["Searched", "search", "for “{}”", ""],
  view: ["Viewed", "view", "{}", "a study"],
  download: ["Downloaded", "download", "{}", "a study"],
  store: ["Stored", "store", "{}", "objects"],
  upload: ["Uploaded", "upload", "{}", "objects"],
  send: ["Sent", "send", "to {}", "objects"],
  anonymize: ["Anonymized", "anonymize", "for {}", "objects"],
  carry: ["Carried over", "carry over", "to {}", "between series"],
  "accept registration": ["Accepted", "accept", "the registration {}", "a registration"],
  "discard registration": ["Discarded", "discard", "what {} proposed", "a proposed registration"],
  "save session": ["Saved", "save", "the session {}", "a session"],
  "open session": ["Opened", "open", "the session {}", "a session"],
  register: ["Registered", "register", "{}", "two series"],
  retrieve: ["Retrieved", "retrieve", "from {}", "objects"],
  "query peer": ["Queried", "query", "{}", "a peer"],
  delete: ["Deleted", "delete", "{}", "objects"],
  "peer changed": ["Changed", "change", "the peer {}", "a peer"],
  "peer removed": ["Removed", "remove", "the peer {}", "a peer"],
  "peer tested": ["Tested", "test", "the peer {}", "a peer"],
  "rule changed": ["Changed", "change", "the rule {}", "a rule"],
  "rule removed": ["Removed", "remove", "the rule {}", "a rule"],
  "rule turned on": ["Turned on", "turn on", "the rule {}", "a rule"],
  "rule turned off": ["Turned off", "turn off", "the rule {}", "a rule"],
  "user added": ["Added", "add", "the user {}", "a user"],
  "user changed": ["Changed", "change", "the user {}", "a user"],
  "user removed": ["Removed", "remove", "the user {}", "a user"],
  "password changed": ["Changed", "change", "the password of {}", "a password"],
  "token made": ["Made", "make", "the token {}", "a token"],
  "token removed": ["Revoked", "revoke", "the token {}", "a token"],
  "settings changed": ["Changed", "change", "settings: {}", "settings"],
  "certificate made": ["Made", "make", "a certificate for {}", "a certificate"],
  "context list changed": ["Changed", "change", "the context list {}", "a context list"],
  "context list removed": ["Restored", "restore", "the context list {}", "a context list"],
  "cancel job": ["Cancelled", "cancel", "{}", "a job"],
  "pause job": ["Paused", "pause", "{}", "a job"],
  "resume job": ["Resumed", "resume", "{}", "a job"],
  "retry job": ["Tried", "try", "{} again", "a job again"],
};

/** "peer changed" with the subject "PACS" is "Peer PACS changed". */
const THING_AND_DEED = /^(.+) (\S+)$/;

const OUTCOMES: Record<AuditEntry["outcome"], string> = { done: "Done", refused: "Refused", failed: "Failed" };

export function outcomeWord(outcome: AuditEntry["outcome"]): string {
  return OUTCOMES[outcome];
}

/** What happened, without who and when: "Sent to PACS1". */
export function sentence({ action, subject, outcome }: Pick<AuditEntry, "action" | "subject" | "outcome">): string {
  const words = WORDS[action];
  if (words !== undefined) {
    const [done, tried, named, unnamed] = words;
    const to = subject === "" ? unnamed : named.replace("{}", () => subject);
    return `${outcome === "done" ? done : `Tried to ${tried}`} ${to}`.trim();
  }
  const parts = THING_AND_DEED.exec(action);
  const told = subject === "" ? action : parts === null ? `${action}: ${subject}` : `${parts[1] ?? ""} ${subject} ${parts[2] ?? ""}`;
  return told.charAt(0).toUpperCase() + told.slice(1);
}

/** The actions that can be asked for, with those that are in the log but not in the list. */
export function actionChoices(entries: AuditEntry[]): string[] {
  return [...new Set([...Object.keys(WORDS), ...entries.map((entry) => entry.action)])].sort();
}
