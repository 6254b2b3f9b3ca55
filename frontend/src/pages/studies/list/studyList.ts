/**
 * The rows that were read so far, page by page.
 *
 * Hundreds of thousands may be loaded, so what changes in the archive must not read all of them again: a refresh marks
 * the pages stale, and only those in view (and the first, where new ones appear) are read anew. Each page knows the
 * cursor it began at; what a page gained or lost is found before the row that begins the next one.
 */

import type { Study, StudyPage } from "../../../api/types";

export type ReadPage = (cursor: string | null, signal?: AbortSignal) => Promise<StudyPage>;

interface Page {
  cursor: string | null;
  rows: Study[];
  isStale: boolean;
}

export interface Rows {
  studies: readonly Study[];
  /** There are no more. */
  isComplete: boolean;
  understood: StudyPage["understood"];
  /** Why the last reading of more rows failed. */
  error: unknown;
}

const NOTHING: Rows = { studies: [], isComplete: false, understood: [], error: null };
/** So often a page is read on to find where the next one begins; then that one is let go and read again. */
const READINGS = 3;

/**
 * Where rows that were read anew run into those of the next page. Two rows in a row must agree: one alone may have moved
 * up. The first of the next page may be gone.
 */
export function jointOf(rows: readonly Study[], next: readonly Study[]): { end: number; skipped: number } | null {
  for (let skipped = 0; skipped < Math.min(next.length, READINGS); skipped++) {
    const border = next[skipped]?.StudyInstanceUID;
    const end = rows.findIndex((row) => row.StudyInstanceUID === border);
    if (end < 0) continue;
    const after = rows[end + 1];
    if (!after || after.StudyInstanceUID === next[skipped + 1]?.StudyInstanceUID) return { end, skipped };
  }
  return null;
}

export class StudyList {
  private pages: Page[] = [];
  private next: string | null = null;
  private rows: Rows = NOTHING;
  private view = { first: 0, last: 0 };
  private loading: Promise<void> | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly read: ReadPage) {}

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  readonly snapshot = (): Rows => this.rows;

  /** Read the first page, or read again what may have changed and is seen. */
  async refresh(signal?: AbortSignal): Promise<this> {
    if (this.pages.length === 0) {
      const page = await this.read(null, signal);
      this.pages = [{ cursor: null, rows: page.studies, isStale: false }];
      this.next = page.next;
      this.publish({ understood: page.understood });
    } else {
      for (const page of this.pages) page.isStale = true;
      await this.renew(this.pages[0], signal);
      await this.renewView(signal);
    }
    return this;
  }

  /** Which rows are in view: stale ones are read again. */
  show(first: number, last: number): void {
    this.view = { first, last };
    if (this.pagesInView().some((page) => page.isStale)) void this.exclusively(() => this.renewView());
  }

  /** Read the next page. Does nothing while one is read, or when there is none. */
  loadMore(): void {
    if (this.next === null) return;
    void this.exclusively(() => this.readNext());
  }

  /** One reading at a time: two would both move the end. */
  private async exclusively(work: () => Promise<void>): Promise<void> {
    if (this.loading) return;
    this.loading = work();
    try {
      await this.loading;
      if (this.rows.error !== null) this.publish({});
    } catch (error) {
      this.publish({ error });
    } finally {
      this.loading = null;
    }
  }

  private async readNext(): Promise<void> {
    const cursor = this.next;
    if (cursor === null) return;
    const page = await this.read(cursor);
    if (this.next !== cursor) return;
    this.pages.push({ cursor, rows: this.unknown(page.studies), isStale: false });
    this.next = page.next;
    this.publish({});
  }

  private async renewView(signal?: AbortSignal): Promise<void> {
    for (const page of this.pagesInView()) if (page.isStale) await this.renew(page, signal);
  }

  private async renew(page: Page | undefined, signal?: AbortSignal): Promise<void> {
    if (!page) return;
    page.isStale = false;
    try {
      const { rows, joint, next } = await this.readAgain(page, signal);
      const at = this.pages.indexOf(page);
      if (at < 0) return;
      const following = this.pages[at + 1];
      if (joint && following) {
        following.rows = following.rows.slice(joint.skipped);
      } else {
        // What followed does not join on any more: it is read when somebody comes there.
        this.pages.length = at + 1;
        this.next = next;
      }
      page.rows = rows;
      if (rows.length === 0 && at > 0) this.pages.splice(at, 1);
      this.leaveOutTwice(page);
      this.publish({});
    } catch (error) {
      page.isStale = true;
      throw error;
    }
  }

  /** The rows from where the page begins to where the next page does. */
  private async readAgain(page: Page, signal?: AbortSignal) {
    const following = this.pages[this.pages.indexOf(page) + 1];
    const rows: Study[] = [];
    let cursor = page.cursor;
    for (let reading = 0; reading < READINGS; reading++) {
      const answer = await this.read(cursor, signal);
      rows.push(...answer.studies);
      cursor = answer.next;
      if (following?.cursor === cursor) return { rows, joint: { end: rows.length, skipped: 0 }, next: cursor };
      const joint = following ? jointOf(rows, following.rows) : null;
      if (joint) return { rows: rows.slice(0, joint.end), joint, next: cursor };
      if (cursor === null || !following) break;
    }
    return { rows, joint: null, next: cursor };
  }

  /** A study that moved up (it arrived anew) is no longer where it was. */
  private leaveOutTwice(fresh: Page): void {
    const now = new Set(fresh.rows.map((row) => row.StudyInstanceUID));
    for (const page of this.pages) {
      if (page !== fresh && page.rows.some((row) => now.has(row.StudyInstanceUID))) {
        page.rows = page.rows.filter((row) => !now.has(row.StudyInstanceUID));
      }
    }
  }

  private unknown(rows: Study[]): Study[] {
    const known = new Set(this.rows.studies.map((row) => row.StudyInstanceUID));
    return rows.filter((row) => !known.has(row.StudyInstanceUID));
  }

  private pagesInView(): Page[] {
    const seen: Page[] = [];
    let at = 0;
    for (const page of this.pages) {
      if (at <= this.view.last && at + page.rows.length > this.view.first) seen.push(page);
      at += page.rows.length;
    }
    return seen;
  }

  private publish(changes: Partial<Rows>): void {
    this.rows = {
      ...this.rows,
      error: null,
      ...changes,
      studies: this.pages.flatMap((page) => page.rows),
      isComplete: this.pages.length > 0 && this.next === null,
    };
    this.listeners.forEach((tell) => {
      tell();
    });
  }
}
