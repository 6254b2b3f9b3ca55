/** A peer as it is filled in: numbers as text, "" for what the node's limits say. */

import type { Peer } from "../../api/types";
import { withoutSetting } from "../../ui";

export const RIGHTS = ["may_store", "may_query", "may_retrieve", "may_commit"] as const;
export const USES = ["send", "query", "retrieve", "commit"] as const;
export type Right = (typeof RIGHTS)[number];
export type Use = (typeof USES)[number];

/** Fields that are numbers, and may be empty when the node has a value for them. */
const OPTIONAL_NUMBERS = ["artim_s", "connect_s", "response_s", "max_pdu_bytes", "retries"] as const;
const NUMBERS = ["port", "retry_delay_s", "concurrency"] as const;
export type NumberField = (typeof OPTIONAL_NUMBERS)[number] | (typeof NUMBERS)[number];

export type PeerForm = Omit<Peer, NumberField> & Record<NumberField, string>;

/** The fields that hide under "Advanced": an error in one of them opens it. */
export const ADVANCED: readonly (keyof Peer)[] = [
  "calling_ae_title",
  "context_list",
  "preferred_syntaxes",
  "lossy_syntax",
  "lenient_statuses",
  "retries",
  "retry_delay_s",
  "concurrency",
  "connect_s",
  "artim_s",
  "response_s",
  "max_pdu_bytes",
];

const NEW_PEER: Peer = {
  name: "",
  ae_title: "",
  host: "",
  port: 104,
  may_store: true,
  may_query: true,
  may_retrieve: true,
  may_commit: true,
  send: true,
  query: true,
  retrieve: true,
  commit: true,
  tls: false,
  tls_name: "",
  calling_ae_title: "",
  artim_s: null,
  connect_s: null,
  response_s: null,
  max_pdu_bytes: null,
  context_list: "dbx",
  preferred_syntaxes: [],
  lossy_syntax: "",
  lenient_statuses: false,
  retries: null,
  retry_delay_s: 60,
  concurrency: 1,
};

/** What the service takes, and nothing of what it tells beyond that. */
export function peerOnly(peer: Peer): Peer {
  const entries = (Object.keys(NEW_PEER) as (keyof Peer)[]).map((field) => [field, peer[field]]);
  return Object.fromEntries(entries) as unknown as Peer;
}

export function formOf(peer: Peer | null): PeerForm {
  const shown = peerOnly(peer ?? NEW_PEER);
  const numbers = [...OPTIONAL_NUMBERS, ...NUMBERS].map((field) => {
    const value = shown[field];
    return [field, value === null || (peer === null && field === "port") ? "" : String(value)];
  });
  return { ...shown, ...(Object.fromEntries(numbers) as Record<NumberField, string>) };
}

export type Faults = Partial<Record<keyof Peer, string>>;

/** The peer that a form describes, or what is wrong with it; the service looks at the rest. */
export function peerOf(form: PeerForm): { peer: Peer; faults: Faults } {
  const faults: Faults = {};
  if (!form.ae_title.trim()) faults.ae_title = "It needs its AE title, as those who run it call it.";
  if (!form.host.trim()) faults.host = "It needs a host name or an address.";
  if (!form.name.trim()) faults.name = "It needs a name, for lists and commands.";
  const read = (field: NumberField, isOptional: boolean): number | null => {
    const text = form[field].trim();
    if (text === "" && isOptional) return null;
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) faults[field] = "This is no number.";
    return value;
  };
  const numbers = Object.fromEntries([
    ...OPTIONAL_NUMBERS.map((field) => [field, read(field, true)]),
    ...NUMBERS.map((field) => [field, read(field, false)]),
  ]) as Pick<Peer, NumberField>;
  if (form.port.trim() === "") faults.port = "It needs a port: often 104 or 11112.";
  const trimmed = { name: form.name.trim(), ae_title: form.ae_title.trim(), host: form.host.trim() };
  const tls_name = form.tls ? form.tls_name.trim() : "";
  const peer = { ...form, ...numbers, ...trimmed, tls_name, calling_ae_title: form.calling_ae_title.trim() };
  return { peer, faults };
}

/** The field that a refusal names; "peer" is what the service calls the whole of it, which is its name. */
export function faultOf(setting: string | undefined, detail: string): Faults {
  if (!setting) return {};
  const field = setting === "peer" ? "name" : setting.split(".").at(-1);
  return field !== undefined && field in NEW_PEER ? { [field]: withoutSetting(setting, detail) } : {};
}

/** "PACS@10.0.0.5:104", as e-mails and manuals have it; null when it is not that. */
export function parseAddress(text: string): { ae_title: string; host: string; port: string } | null {
  const match = /^\s*([^@\s][^@]{0,15})@(\[[^\]]+\]|[^:\s@]+):(\d{1,5})\s*$/.exec(text);
  if (!match) return null;
  return { ae_title: (match[1] ?? "").trim(), host: (match[2] ?? "").replaceAll(/[[\]]/g, ""), port: match[3] ?? "" };
}

export function addressOf(peer: Pick<Peer, "ae_title" | "host" | "port">): string {
  const host = peer.host.includes(":") ? `[${peer.host}]` : peer.host;
  return `${peer.ae_title}@${host}:${String(peer.port)}`;
}

export function matches(peer: Peer, text: string): boolean {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const all = `${peer.name} ${addressOf(peer)}`.toLowerCase();
  return words.every((word) => all.includes(word));
}
