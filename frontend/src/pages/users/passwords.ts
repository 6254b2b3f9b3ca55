/** What the service asks of a password: length, and that it is not the name. */

export const LEAST_LENGTH = 10;
const GOOD_LENGTH = 16;

export interface PasswordHint {
  isGoodEnough: boolean;
  /** 0 to 100. */
  progress: number;
  words: string;
}

export function hintOf(password: string, name: string): PasswordHint {
  const length = [...password.normalize("NFC")].length;
  const progress = Math.min(100, (length / GOOD_LENGTH) * 100);
  if (length === 0) return { isGoodEnough: false, progress, words: `At least ${LEAST_LENGTH} characters; several words are good` };
  if (length < LEAST_LENGTH) return { isGoodEnough: false, progress, words: `${LEAST_LENGTH - length} more ${length === LEAST_LENGTH - 1 ? "character" : "characters"}` };
  if (password.toLowerCase() === name.trim().toLowerCase()) return { isGoodEnough: false, progress, words: "It must not be the name" };
  if (new Set(password).size === 1) return { isGoodEnough: false, progress, words: "It must not be one character again and again" };
  return { isGoodEnough: true, progress, words: length < GOOD_LENGTH ? "Long enough; longer is stronger" : "Strong by its length" };
}
