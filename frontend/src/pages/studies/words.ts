/** The words of a search, as the chips show them. */

const NBSP = /\s+/g;

/** The search without one of the words that were understood. */
export function without(q: string, word: string): string {
  const at = q.toLowerCase().indexOf(word.toLowerCase());
  if (at < 0 || !word) return q;
  let [start, end] = [at, at + word.length];
  // A quoted word loses its quotes with it.
  if (q[start - 1] === '"' && q[end] === '"') [start, end] = [start - 1, end + 1];
  return `${q.slice(0, start)} ${q.slice(end)}`.replace(NBSP, " ").trim();
}

export interface Example {
  words: string;
  finds: string;
}

export const EXAMPLES: readonly Example[] = [
  { words: "doe jane", finds: "name, in any order; parts of it will do" },
  { words: "PT last week", finds: "modality and date; also 2026, 2026-11-01..2026-11-20" },
  { words: "born 1960", finds: "date or year of birth" },
  { words: "A0012345", finds: "patient ID, accession number or UID" },
  { words: "arrived today", finds: "what came in today" },
  { words: 'desc:"thorax low dose"', finds: "one field: name: id: acc: desc: mod: from:" },
];
