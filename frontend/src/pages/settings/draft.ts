/** Changes that are not saved yet: key -> value, or null for the default. */

import type { Setting } from "../../api/types";
import { quantity } from "./units";

export type SettingValue = Setting["value"];
export type Draft = Readonly<Record<string, SettingValue | null>>;

export function isSame(one: SettingValue, other: SettingValue): boolean {
  return normal(one) === normal(other);
}

function normal(value: SettingValue): string {
  if (typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The draft with one more change; a value that is the saved one is no change. */
export function changed(draft: Draft, setting: Setting, value: SettingValue | null): Draft {
  const others = Object.fromEntries(Object.entries(draft).filter(([key]) => key !== setting.key));
  const isNone = value === null ? setting.source === "default" : setting.source !== "default" && isSame(value, setting.value);
  const isDefaultAgain = value !== null && setting.source === "default" && isSame(value, setting.default);
  return isNone || isDefaultAgain ? others : { ...others, [setting.key]: value };
}

/** What the field shows. */
export function shownValue(draft: Draft, setting: Setting): SettingValue {
  const drafted = draft[setting.key];
  return drafted === undefined ? setting.value : (drafted ?? setting.default);
}

/** Whether the field shows something else than the default, so that it can be reset. */
export function canReset(draft: Draft, setting: Setting): boolean {
  if (setting.source === "environment" || draft[setting.key] === null) return false;
  return setting.key in draft || setting.source === "file";
}

/** A value in words: "5 minutes", "off", "nothing". */
export function inWords(value: SettingValue, key: string): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return quantity(value, key);
  if (typeof value === "string") return value === "" ? "not set" : value;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  const pairs = Object.entries(value);
  return pairs.length === 0 ? "none" : pairs.map(([name, target]) => `${name} → ${target}`).join(", ");
}

/** What is not saved outlives a look at another page of the console. */
let kept: Draft = {};

export function keptDraft(): Draft {
  return kept;
}

export function keepDraft(draft: Draft): void {
  kept = draft;
}
