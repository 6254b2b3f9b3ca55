/** Rules of the common kind as fields of a form: read from the rule's TOML and written to it. */

import { isTable, quoted, readToml, TomlError, type Toml, type TomlTable } from "./toml";

export interface Guided {
  name: string;
  isEnabled: boolean;
  when: "study stable" | "instance";
  stableS: number;
  /** "" is the default database. */
  database: string;
  /** Conditions that must all hold; an empty one is none. */
  modalities: string[];
  callingAeTitles: string[];
  description: string;
  notDescription: string;
  send: string[];
  forget: { afterDays: number; isCommitted: boolean } | null;
}

export const DEFAULT_STABLE_S = 60;

export const EMPTY_RULE: Guided = {
  name: "",
  isEnabled: true,
  when: "study stable",
  stableS: DEFAULT_STABLE_S,
  database: "",
  modalities: [],
  callingAeTitles: [],
  description: "",
  notDescription: "",
  send: [],
  forget: null,
};

/** What the form makes of a text: its fields; that it says more than they can; or where it is no TOML. */
export type Reading = { guided: Guided } | { reason: "more" } | { line: number; problem: string };

export function readRule(text: string): Reading {
  try {
    const guided = guidedOf(readToml(text).table);
    return guided === null ? { reason: "more" } : { guided };
  } catch (error) {
    if (error instanceof TomlError) return { line: error.line, problem: error.message };
    throw error;
  }
}

/** The text as the form would have written it, where it can say the same. */
export function tidied(text: string): string {
  const reading = readRule(text);
  return "guided" in reading ? writeRule(reading.guided) : text;
}

/** The name that the text gives the rule. */
export function nameIn(text: string): string | null {
  try {
    const name = readToml(text).table["name"];
    return typeof name === "string" ? name : null;
  } catch {
    return null;
  }
}

// --- TOML to fields --------------------------------------------------------------------------

function guidedOf(table: TomlTable): Guided | null {
  const guided: Guided = { ...EMPTY_RULE };
  const known = new Set(["name", "enabled", "when", "stable_s", "database", "if", "then"]);
  if (Object.keys(table).some((key) => !known.has(key))) return null;
  const { name, enabled = true, when = "study stable", stable_s = DEFAULT_STABLE_S, database = "" } = table;
  if (typeof name !== "string" || typeof enabled !== "boolean" || typeof database !== "string") return null;
  if ((when !== "study stable" && when !== "instance") || typeof stable_s !== "number") return null;
  Object.assign(guided, { name, isEnabled: enabled, when, stableS: stable_s, database });
  return takeActions(table["then"], guided) && takeConditions(table["if"], guided) ? guided : null;
}

function takeActions(then: Toml | undefined, guided: Guided): boolean {
  if (then === undefined) return true;
  if (!isTable(then) || Object.keys(then).some((key) => key !== "send" && key !== "forget")) return false;
  const send = typeof then["send"] === "string" ? [then["send"]] : (then["send"] ?? []);
  if (!isTexts(send)) return false;
  guided.send = send;
  const forget = then["forget"] ?? false;
  if (typeof forget === "boolean") {
    guided.forget = forget ? { afterDays: 0, isCommitted: false } : null;
    return true;
  }
  if (!isTable(forget)) return false;
  const { after_days = 0, committed = false, ...rest } = forget;
  if (typeof after_days !== "number" || typeof committed !== "boolean" || Object.keys(rest).length > 0) return false;
  guided.forget = { afterDays: after_days, isCommitted: committed };
  return true;
}

function takeConditions(condition: Toml | undefined, guided: Guided): boolean {
  if (condition === undefined) return true;
  if (!isTable(condition)) return false;
  const keys = Object.keys(condition);
  const all = keys.length === 1 && keys[0] === "all" ? condition["all"] : [condition];
  if (!Array.isArray(all)) return false;
  const taken = new Set<string>();
  return all.every((part) => {
    const field = isTable(part) ? takeCondition(part, guided) : null;
    if (field === null || taken.has(field)) return false;
    taken.add(field);
    return true;
  });
}

/** The field that the condition fills, or null when there is none for it. */
function takeCondition(part: TomlTable, guided: Guided): keyof Guided | null {
  const { attribute, not, ...rest } = part;
  if (not !== undefined) {
    const text = isTable(not) && Object.keys(part).length === 1 ? containedText(not) : null;
    if (text === null) return null;
    guided.notDescription = text;
    return "notDescription";
  }
  const text = containedText(part);
  if (text !== null) {
    guided.description = text;
    return "description";
  }
  const field = attribute === "Modality" ? "modalities" : attribute === "SourceApplicationEntityTitle" ? "callingAeTitles" : null;
  const keys = Object.keys(rest);
  if (field === null || keys.length !== 1) return null;
  const values = typeof rest["equals"] === "string" ? [rest["equals"]] : rest["in"];
  if (values === undefined || !isTexts(values) || values.length === 0) return null;
  guided[field] = values;
  return field;
}

/** X of { attribute = "StudyDescription", matches = "*X*" }. */
function containedText(part: TomlTable): string | null {
  const { attribute, matches, ...rest } = part;
  if (attribute !== "StudyDescription" || typeof matches !== "string" || Object.keys(rest).length > 0) return null;
  return matches.length > 2 && matches.startsWith("*") && matches.endsWith("*") ? matches.slice(1, -1) : null;
}

function isTexts(value: Toml): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

// --- fields to TOML --------------------------------------------------------------------------

export function writeRule(rule: Guided): string {
  const lines = [`name = ${quoted(rule.name)}`];
  if (!rule.isEnabled) lines.push("enabled = false");
  if (rule.database !== "") lines.push(`database = ${quoted(rule.database)}`);
  lines.push(`when = ${quoted(rule.when)}`);
  if (rule.when === "study stable") lines.push(`stable_s = ${rule.stableS}`);
  lines.push(...conditionLines(rule), "", "[then]", `send = ${texts(rule.send)}`);
  if (rule.forget !== null) {
    lines.push(`forget = { after_days = ${rule.forget.afterDays}, committed = ${rule.forget.isCommitted} }`);
  }
  return `${lines.join("\n")}\n`;
}

function conditionLines(rule: Guided): string[] {
  const conditions = [
    rule.modalities.length > 0 && `{ attribute = "Modality", in = ${texts(rule.modalities)} }`,
    rule.callingAeTitles.length > 0 && `{ attribute = "SourceApplicationEntityTitle", in = ${texts(rule.callingAeTitles)} }`,
    rule.description !== "" && contains(rule.description),
    rule.notDescription !== "" && `{ not = ${contains(rule.notDescription)} }`,
  ].filter((each) => each !== false);
  return conditions.length === 0 ? [] : ["", "[if]", "all = [", ...conditions.map((each) => `  ${each},`), "]"];
}

function contains(text: string): string {
  return `{ attribute = "StudyDescription", matches = ${quoted(`*${text}*`)} }`;
}

function texts(values: string[]): string {
  return `[${values.map(quoted).join(", ")}]`;
}

// --- where a refused key stands --------------------------------------------------------------

/** The line of the key that the service refused, or that it says the text breaks at; null when nowhere to be found. */
export function lineOf(text: string, setting: string | undefined, detail: string): number | null {
  const said = /\bat line (\d+)/.exec(detail)?.[1];
  if (said !== undefined) return Number(said);
  if (setting === undefined) return null;
  let lines: Map<string, number>;
  try {
    lines = readToml(text).lines;
  } catch {
    return null;
  }
  // The nearest key above stands for one that is missing.
  for (let path = setting; path !== ""; path = path.replace(/(?:\.?[^.[\]]+|\[\d+\])$/, "")) {
    const line = lines.get(path);
    if (line !== undefined) return line;
    if (!/(?:\.?[^.[\]]+|\[\d+\])$/.test(path)) return null;
  }
  return null;
}
