/** Which columns a person wants to see, how wide, and what fits. Only the layout is remembered, never what is in it. */

export interface ColumnShape {
  id: string;
  /** What it should have. */
  width_px: number;
  /** What it cannot do without. */
  min_px: number;
  /** Its part of the room that is left over. */
  grows?: number;
  /** Not shown until somebody asks for it. */
  isExtra?: boolean;
  /** The first to go when there is no room has the highest; those without stay. */
  leaves?: number;
}

export interface ColumnState {
  widths_px: Readonly<Record<string, number>>;
  /** Where a person chose against the default. */
  shown: Readonly<Record<string, boolean>>;
}

export const AS_DESIGNED: ColumnState = { widths_px: {}, shown: {} };
const KEY = "radfuse.studies.columns";
/** As narrow and as wide as a person can make one. */
const NARROWEST_PX = 40;
const WIDEST_PX = 900;

export function isWanted(column: ColumnShape, state: ColumnState): boolean {
  return state.shown[column.id] ?? !column.isExtra;
}

export function widthOf(column: ColumnShape, state: ColumnState): number {
  return state.widths_px[column.id] ?? column.width_px;
}

export function resized(state: ColumnState, column: ColumnShape, width_px: number): ColumnState {
  const width = Math.round(Math.min(Math.max(width_px, NARROWEST_PX), WIDEST_PX));
  return { ...state, widths_px: { ...state.widths_px, [column.id]: width } };
}

export function toggled(state: ColumnState, column: ColumnShape): ColumnState {
  return { ...state, shown: { ...state.shown, [column.id]: !isWanted(column, state) } };
}

/** The wanted columns that fit into the room, in their order; what a person made wider stays as wide. */
export function fitting<T extends ColumnShape>(columns: readonly T[], state: ColumnState, room_px: number): T[] {
  const wanted = columns.filter((column) => isWanted(column, state));
  const leaving = wanted.filter((column) => column.leaves !== undefined);
  leaving.sort((one, other) => (other.leaves ?? 0) - (one.leaves ?? 0));
  const kept = new Set(wanted);
  const used = () => sum([...kept].map((column) => leastOf(column, state)));
  for (const column of leaving) {
    if (used() <= room_px) break;
    kept.delete(column);
  }
  return wanted.filter((column) => kept.has(column));
}

/** What a column cannot do without; what a person made it is what it needs. */
function leastOf(column: ColumnShape, state: ColumnState): number {
  return state.widths_px[column.id] ?? column.min_px;
}

/** How wide each is: the least first, then what it should have, then what is left over goes to those that grow. */
export function widthsOf(columns: readonly ColumnShape[], state: ColumnState, room_px: number): number[] {
  const least = columns.map((column) => leastOf(column, state));
  const missing = columns.map((column, at) => Math.max(widthOf(column, state) - (least[at] ?? 0), 0));
  const wanted = shared(least, missing, Math.min(room_px - sum(least), sum(missing)));
  const growth = columns.map((column) => (column.id in state.widths_px ? 0 : (column.grows ?? 0)));
  return shared(wanted, growth, room_px - sum(wanted));
}

/** `widths` and so much more, in whole pixels, by the parts. */
function shared(widths: readonly number[], parts: readonly number[], more_px: number): number[] {
  const all = sum(parts);
  if (all <= 0 || more_px <= 0) return [...widths];
  return widths.map((width, at) => width + Math.floor((more_px * (parts[at] ?? 0)) / all));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The value of grid-template-columns. */
export function template(columns: readonly ColumnShape[], state: ColumnState, room_px: number): string {
  return widthsOf(columns, state, room_px)
    .map((width) => `${String(width)}px`)
    .join(" ");
}

/** What was remembered; anything else in its place counts as nothing. */
export function parsed(text: string | null): ColumnState {
  try {
    const said = JSON.parse(text ?? "") as Partial<Record<keyof ColumnState, unknown>> | null;
    return { widths_px: entriesOf(said?.widths_px, "number"), shown: entriesOf(said?.shown, "boolean") };
  } catch {
    return AS_DESIGNED;
  }
}

function entriesOf<T>(value: unknown, type: "number" | "boolean"): Record<string, T> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === type)) as Record<string, T>;
}

export function remembered(): ColumnState {
  try {
    return parsed(window.localStorage.getItem(KEY));
  } catch {
    // A browser may forbid it.
    return AS_DESIGNED;
  }
}

export function remember(state: ColumnState): void {
  try {
    window.localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Then it is as designed the next time.
  }
}
