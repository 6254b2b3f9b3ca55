import type { Setting } from "../../api/types";

/** What the choices mean. */
const WORDS: Record<string, Record<string, string>> = {
  "storage.duplicates": {
    keep: "Keep the first one",
    replace: "Replace it by the new one",
    reject: "Refuse the new one (0111H)",
  },
  "tls.client_certificates": {
    required: "Required",
    optional: "Optional",
    none: "Not asked for",
  },
};

/** A choice as people read it. */
export function choiceWord(setting: Setting, value: string): string {
  return WORDS[setting.key]?.[value] ?? value;
}

export function choiceWords(setting: Setting): { value: string; label: string }[] {
  return setting.choices.map((value) => ({ value, label: choiceWord(setting, value) }));
}
