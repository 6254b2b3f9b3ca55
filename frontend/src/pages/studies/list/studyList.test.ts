import { describe, expect, it } from "vitest";

import type { Study, StudyPage } from "../../../api/types";
import { StudyList, jointOf } from "./studyList";

function study(uid: string, extra: Partial<Study> = {}): Study {
  return { StudyInstanceUID: uid, NumberOfStudyRelatedInstances: 1, ...extra } as Study;
}

function uids(list: StudyList): string {
  return list.snapshot().studies.map((row) => row.StudyInstanceUID).join("");
}

/** An archive whose cursors name the row after which a page begins, as the service's do. */
class Archive {
  asked: (string | null)[] = [];
  constructor(public rows: string) {}

  readonly read = (cursor: string | null): Promise<StudyPage> => {
    this.asked.push(cursor);
    const from = [...this.rows].filter((row) => cursor === null || row > cursor);
    const studies = from.slice(0, 3).map((uid) => study(uid));
    const next = from.length > 3 ? (studies.at(-1)?.StudyInstanceUID ?? null) : null;
    return Promise.resolve({ studies, next, understood: [] });
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

async function loaded(archive: Archive, pages: number): Promise<StudyList> {
  const list = await new StudyList(archive.read).refresh();
  for (let page = 1; page < pages; page++) {
    list.loadMore();
    await settled();
  }
  archive.asked = [];
  return list;
}

describe("a list of studies", () => {
  it("reads page after page until the end", async () => {
    const list = await loaded(new Archive("bdfhjl"), 1);
    expect([uids(list), list.snapshot().isComplete]).toEqual(["bdf", false]);
    list.loadMore();
    list.loadMore();
    await settled();
    expect([uids(list), list.snapshot().isComplete]).toEqual(["bdfhjl", true]);
  });

  it("takes in a new study without letting go what was read beyond it", async () => {
    const archive = new Archive("bdfhjlnp");
    const list = await loaded(archive, 3);
    archive.rows = "abdfhjlnp";
    await list.refresh();
    expect(uids(list)).toBe("abdfhjlnp");
  });

  it("reads only the pages in view again", async () => {
    const archive = new Archive("bdfhjlnpr");
    const list = await loaded(archive, 3);
    list.show(4, 5);
    await list.refresh();
    expect(archive.asked).toEqual([null, "f"]);
    archive.asked = [];
    list.show(7, 8);
    await settled();
    expect(archive.asked).toEqual(["l"]);
  });

  it("loses what is gone, also the first row of a page", async () => {
    const archive = new Archive("bdfhjlnp");
    const list = await loaded(archive, 3);
    list.show(0, 8);
    archive.rows = "bdfjlnp";
    await list.refresh();
    expect(uids(list)).toBe("bdfjlnp");
  });

  it("shows the rest again on scrolling when more came than it reads at once", async () => {
    const archive = new Archive("xyz");
    const list = await loaded(archive, 1);
    archive.rows = "abcdefghijklmnopqrstuvwxyz";
    await list.refresh();
    while (!list.snapshot().isComplete) {
      list.loadMore();
      await settled();
    }
    expect(uids(list)).toBe(archive.rows);
  });

  it("says why more could not be read, and reads on when asked again", async () => {
    const archive = new Archive("bdfhjl");
    let isBroken = false;
    const list = await new StudyList((cursor) =>
      isBroken ? Promise.reject(new Error("no answer")) : archive.read(cursor),
    ).refresh();
    isBroken = true;
    list.loadMore();
    await settled();
    expect(list.snapshot().error).toEqual(new Error("no answer"));
    isBroken = false;
    list.loadMore();
    await settled();
    expect([uids(list), list.snapshot().error]).toEqual(["bdfhjl", null]);
  });
});

describe("where rows run into the next page", () => {
  const rows = (text: string) => [...text].map((uid) => study(uid));

  it("is where two rows agree", () => {
    expect(jointOf(rows("abcde"), rows("def"))).toEqual({ end: 3, skipped: 0 });
    expect(jointOf(rows("abcd"), rows("def"))).toEqual({ end: 3, skipped: 0 });
  });

  it("is not where one row has moved up alone", () => {
    expect(jointOf(rows("dabc"), rows("def"))).toBeNull();
  });

  it("is the second row when the first is gone", () => {
    expect(jointOf(rows("abcef"), rows("def"))).toEqual({ end: 3, skipped: 1 });
  });
});
