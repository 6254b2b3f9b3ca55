/** Which rows of a list are ticked: a value, each change gives another. */
export class ListSelection {
  constructor(
    readonly ids: ReadonlySet<number> = new Set(),
    private readonly anchor: number | null = null,
  ) {}

  get size(): number {
    return this.ids.size;
  }

  has(id: number): boolean {
    return this.ids.has(id);
  }

  toggle(id: number): ListSelection {
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    return new ListSelection(ids, id);
  }

  /** Everything between the last one ticked and this one, in the order of the list. */
  extend(id: number, order: number[]): ListSelection {
    const [from, to] = [order.indexOf(this.anchor ?? id), order.indexOf(id)];
    if (from < 0 || to < 0) return this.toggle(id);
    const between = order.slice(Math.min(from, to), Math.max(from, to) + 1);
    return new ListSelection(new Set([...this.ids, ...between]), id);
  }

  /** Without what the list does not have any more. */
  within(order: number[]): ListSelection {
    const known = new Set(order);
    const ids = [...this.ids].filter((id) => known.has(id));
    return ids.length === this.ids.size ? this : new ListSelection(new Set(ids), this.anchor);
  }
}
