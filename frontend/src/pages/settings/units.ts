/** Quantities as people read them. The value of a setting stays in the unit that its key names. */

export interface Unit {
  name: string;
  /** How many of the setting's own unit one of these is. */
  factor: number;
}

const BYTES: Unit[] = [
  { name: "bytes", factor: 1 },
  { name: "KiB", factor: 2 ** 10 },
  { name: "MiB", factor: 2 ** 20 },
  { name: "GiB", factor: 2 ** 30 },
  { name: "TiB", factor: 2 ** 40 },
];
const SECONDS: Unit[] = [
  { name: "seconds", factor: 1 },
  { name: "minutes", factor: 60 },
  { name: "hours", factor: 3600 },
  { name: "days", factor: 86_400 },
];
const MINUTES: Unit[] = [
  { name: "minutes", factor: 1 },
  { name: "hours", factor: 60 },
  { name: "days", factor: 1440 },
];
const HOURS: Unit[] = [
  { name: "hours", factor: 1 },
  { name: "days", factor: 24 },
];
const DAYS: Unit[] = [{ name: "days", factor: 1 }];

const UNITS_BY_SUFFIX: [string, Unit[]][] = [
  ["_bytes", BYTES],
  ["_s", SECONDS],
  ["_minutes", MINUTES],
  ["_hours", HOURS],
  [".hours", HOURS],
  ["_days", DAYS],
];

/** The units in which a setting can be given, its own first; empty for a mere number. */
export function unitsOf(key: string): Unit[] {
  return UNITS_BY_SUFFIX.find(([suffix]) => key.endsWith(suffix))?.[1] ?? [];
}

/** The largest unit in which the value is a whole number; its own for what is none. */
export function fittingUnit(value: number, units: Unit[]): Unit {
  const own = units[0] ?? { name: "", factor: 1 };
  if (value === 0 || !Number.isFinite(value)) return own;
  return units.findLast((unit) => Number.isInteger(value / unit.factor)) ?? own;
}

/** A port is a name made of figures: it is not grouped. */
export function isPort(key: string): boolean {
  return /(?:^|_)port$/.test(key);
}

/** "64 MiB", "5 minutes", "2,000". */
export function quantity(value: number, key: string): string {
  if (isPort(key)) return String(value);
  const unit = fittingUnit(value, unitsOf(key));
  const amount = value / unit.factor;
  const text = amount.toLocaleString(undefined, { maximumFractionDigits: 6 });
  const name = amount === 1 ? unit.name.replace(/s$/, "") : unit.name;
  return name === "" ? text : `${text} ${name}`;
}
