/** Values as people read them. Attributes come as in the object; what is no date or time is shown as it is. */

const DASH = "–";

/** The day of a DICOM date ("20260315", and "2026.03.15" of old), at midnight UTC; null when it is none. */
export function dayOf(value: string): Date | null {
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(value.trim());
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  date.setUTCFullYear(year); // years below 100 are no 1900s
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : null;
}

const DAY = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "2-digit", timeZone: "UTC" });
const LONG_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });
const INSTANT = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
});
const LONG_INSTANT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
const COUNT = new Intl.NumberFormat(undefined);

/** British English alone has one month of four letters: in a column it would stick out. */
function threeLetters(text: string): string {
  return text.replace(/\bSept\b/, "Sep");
}

/** "20260315" -> "15 Mar 2026", in the reader's order. */
export function formatDate(value: string): string {
  const day = dayOf(value);
  return day ? threeLetters(DAY.format(day)) : value.trim();
}

/** The longest name that a month has here: as wide as that, dates in a column stand below each other. */
export const LONGEST_MONTH = Math.max(
  ...Array.from({ length: 12 }, (_, month) => monthOf(DAY.formatToParts(Date.UTC(2000, month, 1))).length),
);

function monthOf(parts: Intl.DateTimeFormatPart[]): string {
  return threeLetters(parts.find(({ type }) => type === "month")?.value ?? "");
}

/** A DicomDate around its month: ["15 ", "Mar", " 2026"]; null when it is none. */
export function dateParts(value: string): [string, string, string] | null {
  const day = dayOf(value);
  if (!day) return null;
  const parts = DAY.formatToParts(day);
  const at = parts.findIndex(({ type }) => type === "month");
  const joined = (some: Intl.DateTimeFormatPart[]) => some.map((part) => part.value).join("");
  return [joined(parts.slice(0, at)), monthOf(parts), joined(parts.slice(at + 1))];
}

/** With the weekday: what is shown on hover. */
export function formatLongDate(value: string): string {
  const day = dayOf(value);
  return day ? LONG_DAY.format(day) : value.trim();
}

/** "142530.123000" -> "14:25", in the reader's clock. */
export function formatTime(value: string): string {
  const match = /^(\d{2}):?(\d{2})?(?::?\d{2}(?:\.\d+)?)?$/.exec(value.trim());
  if (!match) return value.trim();
  const [hour, minute] = [Number(match[1]), Number(match[2] ?? 0)];
  return hour > 23 || minute > 59 ? value.trim() : CLOCK.format(new Date(Date.UTC(2000, 0, 1, hour, minute)));
}

/** Seconds since 1970 -> date and time, here. */
export function formatInstant(seconds: number): string {
  return threeLetters(INSTANT.format(seconds * 1000));
}

/** With weekday, seconds and time zone: what is shown on hover. */
export function formatLongInstant(seconds: number): string {
  return LONG_INSTANT.format(seconds * 1000);
}

/** "just now", "4 min ago", "in 3 h", "yesterday"; what is further away than a week as a date. */
export function formatAgo(seconds: number, now = Date.now() / 1000): string {
  const distance = now - seconds;
  const far = Math.abs(distance);
  if (far < 10) return "just now";
  if (far >= 7 * 86_400) return threeLetters(DAY.format(seconds * 1000));
  const words =
    far < 60 ? `${Math.floor(far)} s`
    : far < 3600 ? `${Math.floor(far / 60)} min`
    : far < 86_400 ? `${Math.floor(far / 3600)} h`
    : `${Math.floor(far / 86_400)} d`;
  return distance > 0 ? `${words} ago` : `in ${words}`;
}

/** The age on a day, as clinicians say it: days below a month, months below two years, then years. */
export function formatAge(birthDate: string, at: string): string {
  const [born, day] = [dayOf(birthDate), dayOf(at)];
  if (!born || !day || day < born) return "";
  const months =
    (day.getUTCFullYear() - born.getUTCFullYear()) * 12 +
    (day.getUTCMonth() - born.getUTCMonth()) -
    (day.getUTCDate() < born.getUTCDate() ? 1 : 0);
  if (months < 1) return `${Math.round((day.getTime() - born.getTime()) / 86_400_000)} d`;
  return months < 24 ? `${months} mo` : `${Math.floor(months / 12)} y`;
}

export interface NameParts {
  /** "DOE, Jane M" */
  main: string;
  /** Prefix and suffix: "Dr", "Jr". */
  titles: string;
  /** The name in other scripts: ideographic, then phonetic (PS3.5 section 6.2.1.1). */
  others: string[];
}

export function nameParts(value: string): NameParts {
  const groups = value.split("=").map((group) => group.trim());
  const [first, ...rest] = groups.filter((group) => group.replace(/\^/g, "").trim());
  const components = (first ?? "").split("^").map((each) => each.trim());
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = components;
  // One component is often a whole name, or the name of a phantom: as it is.
  const isWhole = components.slice(1).every((each) => !each);
  const isIdeographic = first !== undefined && first !== groups[0];
  const others = isWhole || isIdeographic ? family : family.toLocaleUpperCase();
  const calledBy = [given, middle].filter(Boolean).map(inNameCase).join(" ");
  return {
    main: isIdeographic ? [family, given, middle].filter(Boolean).join(" ") : [others, calledBy].filter(Boolean).join(", "),
    titles: [prefix, suffix].filter(Boolean).map(inNameCase).join(", "),
    others: rest.map((group) => group.split("^").filter(Boolean).join(" ")),
  };
}

/** "DOE^JANE" -> "DOE, Jane"; the ideographic group follows in brackets: "YAMADA, Tarou (山田 太郎)". */
export function formatName(value: string): string {
  const { main, others } = nameParts(value);
  return others[0] ? `${main} (${others[0]})` : main;
}

/** Names are typed in capitals by many modalities; what has small letters is left alone. */
function inNameCase(name: string): string {
  if (name !== name.toLocaleUpperCase()) return name;
  return name.toLocaleLowerCase().replace(/(^|[\s'’.-])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toLocaleUpperCase());
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** 1234567 -> "1.23 MB": three figures, powers of 1000. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return DASH;
  let [value, unit] = [Math.abs(bytes), 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const text = value.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${bytes < 0 ? "-" : ""}${text} ${UNITS[unit] ?? ""}`;
}

/** 1234567 -> "1,234,567", as the reader groups figures. */
export function formatCount(count: number): string {
  return Number.isFinite(count) ? COUNT.format(count) : DASH;
}

/** formatCounted(1, "image") -> "1 image", (2, "study", "studies") -> "2 studies". */
export function formatCounted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Seconds as "0.4 s", "12 s", "2 min 10 s", "1 h 5 min", "3 d 4 h": two units at most. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return DASH;
  if (seconds < 9.95) return `${seconds.toLocaleString(undefined, { maximumFractionDigits: 1 })} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** The end of a UID is what tells two apart: "1.2.840…4.17.3". */
export function shortUid(uid: string, length = 22): string {
  return uid.length <= length ? uid : `${uid.slice(0, 7)}…${uid.slice(-(length - 8))}`;
}

/** "the series" -> "The series". */
export function capitalized(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
