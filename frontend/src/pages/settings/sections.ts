/** How the settings are laid out for people: sections in order, and a label for each key. */

import type { Setting } from "../../api/types";

export interface Section {
  id: string;
  title: string;
  /** What it is about, in one sentence. */
  about: string;
  settings: Setting[];
}

interface Plan {
  id: string;
  title: string;
  about: string;
  /** Keys, or tables of keys ("storage."), in order. */
  keys: string[];
}

const PLANS: Plan[] = [
  {
    id: "node",
    title: "This node",
    about: "How other systems reach this node over DICOM.",
    keys: ["ae_title", "host", "dicom_port", "tls_port", "workstation_ae_title", "workers"],
  },
  {
    id: "databases",
    title: "AE titles and databases",
    about: "A database is an archive of its own: studies, files and searches of one are never seen through another.",
    keys: ["databases", "index_url", "jobs_url"],
  },
  {
    id: "storage",
    title: "Storage",
    about: "What is kept, and when something is refused.",
    keys: ["undo_minutes", "volume_cache_bytes", "storage."],
  },
  {
    id: "limits",
    title: "Limits",
    about: "What one peer may take from this node, so that no peer can stop the others.",
    keys: ["limits."],
  },
  {
    id: "jobs",
    title: "Jobs",
    about: "How sending, retrieving and deleting are done in the background.",
    keys: ["jobs.", "commitment."],
  },
  {
    id: "tls",
    title: "TLS",
    about: "Encrypted DICOM with certificates on both sides.",
    keys: ["tls."],
  },
  {
    id: "web",
    title: "Web and sessions",
    about: "This console, DICOMweb and the API.",
    keys: ["http_host", "http_port", "http_tls", "public_url", "proxies", "cors_origins", "sessions.", "access_log_days", "workspace_days"],
  },
];

const LABELS: Record<string, string> = {
  access_log_days: "Keep the access log for",
  workspace_days: "Keep drafts of the workstation for",
  ae_title: "AE title",
  cors_origins: "Other web applications that may read and store",
  databases: "Further AE titles",
  dicom_port: "DICOM port",
  host: "Address for DICOM",
  http_host: "Address for the web",
  http_port: "Web port",
  http_tls: "Encrypt the web (https)",
  index_url: "Index on a database server",
  jobs_url: "Jobs on a database server",
  proxies: "Proxies that are believed",
  public_url: "Address that people use",
  tls_port: "DICOM port for TLS",
  undo_minutes: "Time to undo a deletion",
  volume_cache_bytes: "Disk for ready volumes",
  workers: "Node processes",
  workstation_ae_title: "AE title of the workstation",
  "commitment.overdue_hours": "Storage commitment is overdue after",
  "commitment.wait_s": "Wait for a storage commitment report",
  "jobs.concurrency": "Jobs at once",
  "jobs.keep_days": "Remember ended jobs for",
  "jobs.poll_s": "Look for new jobs every",
  "limits.artim_s": "Time to request an association (ARTIM)",
  "limits.associations": "Associations at once",
  "limits.associations_per_address": "Associations at once from one address",
  "limits.connect_s": "Time to connect to a peer",
  "limits.idle_s": "Silence on an association",
  "limits.pdu_s": "Time for one PDU",
  "limits.response_s": "Wait for a peer's response",
  "limits.shutdown_s": "Let running operations end for",
  "sessions.hours": "Log out at the latest after",
  "sessions.idle_minutes": "Log out when idle for",
  "storage.accept_unknown_classes": "Store unknown SOP classes too",
  "storage.duplicates": "Same SOP Instance UID, other content",
  "storage.extra_classes": "Further SOP classes",
  "storage.extra_transfer_syntaxes": "Further transfer syntaxes",
  "storage.object_limit_bytes": "Largest object",
  "storage.reserve_bytes": "Space that stays free",
  "tls.authorities": "Trusted authorities (file)",
  "tls.certificate": "Certificate (file)",
  "tls.client_certificates": "Certificates of those who call us",
  "tls.key": "Private key (file)",
  "tls.legacy": "Cipher suites of the retired AES profile",
};

const TITLE_OF_OTHERS = "Other";

/** Every setting in exactly one section; those that no plan names stand in a last one. */
export function sectionsOf(settings: Setting[]): Section[] {
  const left = new Map(settings.map((setting) => [setting.key, setting]));
  const sections = PLANS.map(({ keys, ...plan }) => {
    const found = keys.flatMap((key) => [...left.values()].filter((each) => each.key === key || (key.endsWith(".") && each.key.startsWith(key))));
    for (const each of found) left.delete(each.key);
    return { ...plan, settings: found };
  });
  if (left.size > 0) sections.push({ id: "other", title: TITLE_OF_OTHERS, about: "", settings: [...left.values()] });
  return sections.filter((section) => section.settings.length > 0 || section.id === "tls");
}

/** "Largest object"; for a key that has no label its own words: "jobs.new_thing_s" -> "New thing". */
export function labelOf(key: string): string {
  const label = LABELS[key];
  if (label !== undefined) return label;
  const words = (key.split(".").at(-1) ?? key).replace(/_(?:s|bytes|minutes|hours|days)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Settings with all of the words in their label, key or description. */
export function foundSettings(sections: Section[], text: string): Setting[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return sections
    .flatMap((section) => section.settings)
    .filter(({ key, description }) => {
      const told = `${labelOf(key)} ${key} ${description}`.toLowerCase();
      return words.every((word) => told.includes(word));
    });
}

/** The section of a key, for going to what is wrong. */
export function sectionIdOf(sections: Section[], key: string): string | undefined {
  return sections.find((section) => section.settings.some((setting) => key === setting.key || key.startsWith(`${setting.key}.`)))?.id;
}

/** The variable that overrides a setting. */
export function variableOf(key: string): string {
  return `RADFUSE_${key.replaceAll(".", "__").toUpperCase()}`;
}
