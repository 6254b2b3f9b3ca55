/** Texts that are not saved yet outlive a look at another page of the console. */

const kept = new Map<string, string>();

export function keptText(rule: string): string | undefined {
  return kept.get(rule);
}

/** undefined forgets it. */
export function keepText(rule: string, text: string | undefined): void {
  if (text === undefined) kept.delete(rule);
  else kept.set(rule, text);
}
