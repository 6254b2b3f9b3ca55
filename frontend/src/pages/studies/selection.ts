/** Which rows are selected, and which one the keyboard is on: as lists do it everywhere. */

export interface Selected {
  /** UIDs. */
  readonly chosen: ReadonlySet<string>;
  /** Where the keyboard is. */
  readonly active: string | null;
  /** Where a range that is made with Shift begins. */
  readonly anchor: string | null;
}

export const NOTHING_SELECTED: Selected = { chosen: new Set(), active: null, anchor: null };

export interface Held {
  /** Ctrl, or Command on a Mac. */
  ctrl?: boolean;
  shift?: boolean;
}

export function only(uid: string): Selected {
  return { chosen: new Set([uid]), active: uid, anchor: uid };
}

function range(order: readonly string[], from: string | null, to: string): string[] {
  const [start, end] = [from === null ? -1 : order.indexOf(from), order.indexOf(to)];
  if (start < 0 || end < 0) return [to];
  return order.slice(Math.min(start, end), Math.max(start, end) + 1);
}

export function click(selected: Selected, order: readonly string[], uid: string, held: Held = {}): Selected {
  if (held.shift) {
    const added = range(order, selected.anchor, uid);
    const chosen = held.ctrl ? new Set([...selected.chosen, ...added]) : new Set(added);
    return { chosen, active: uid, anchor: selected.anchor ?? uid };
  }
  return held.ctrl ? toggle(selected, uid) : only(uid);
}

/** Ctrl and a click, a check box, or the space bar. */
export function toggle(selected: Selected, uid: string): Selected {
  const chosen = new Set(selected.chosen);
  if (!chosen.delete(uid)) chosen.add(uid);
  return { chosen, active: uid, anchor: uid };
}

/** Move the keyboard by so many rows, to the first (-Infinity) or the last (Infinity). */
export function move(selected: Selected, order: readonly string[], by: number, held: Held = {}): Selected {
  if (order.length === 0) return selected;
  const at = selected.active === null ? -1 : order.indexOf(selected.active);
  const target = at < 0 && Number.isFinite(by) ? (by > 0 ? 0 : order.length - 1) : at + by;
  const uid = order[Math.min(Math.max(target, 0), order.length - 1)];
  if (uid === undefined) return selected;
  if (held.ctrl && !held.shift) return { ...selected, active: uid };
  return click(selected, order, uid, { shift: held.shift });
}

export function all(selected: Selected, order: readonly string[]): Selected {
  return { ...selected, chosen: new Set(order) };
}

export function none(selected: Selected): Selected {
  return { ...selected, chosen: new Set() };
}

/** Without what is no longer in the list. The same object when nothing is missing. */
export function pruned(selected: Selected, known: ReadonlySet<string>): Selected {
  const isKnown = (uid: string | null) => uid === null || known.has(uid);
  const chosen = [...selected.chosen].filter((uid) => known.has(uid));
  if (chosen.length === selected.chosen.size && isKnown(selected.active) && isKnown(selected.anchor)) return selected;
  return {
    chosen: new Set(chosen),
    active: isKnown(selected.active) ? selected.active : null,
    anchor: isKnown(selected.anchor) ? selected.anchor : null,
  };
}
