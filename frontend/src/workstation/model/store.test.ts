import { beforeEach, describe, expect, it, vi } from "vitest";

import { CT, LESION, MR, PT, facts, openScene } from "../test/scene";
import { viewOf, viewsOf } from "./document";
import { useWorkspace } from "./store";

const now = () => useWorkspace.getState();

beforeEach(openScene);

describe("undo", () => {
  it("takes steps back and forth, one by one", () => {
    now().setBlend(0.8);
    now().setMode("checkerboard");
    now().undo();
    expect([now().doc.blend, now().doc.mode]).toEqual([0.8, "blend"]);
    now().undo();
    expect(now().doc.blend).toBe(0.5);
    now().redo();
    now().redo();
    expect([now().doc.blend, now().doc.mode]).toEqual([0.8, "checkerboard"]);
  });

  it("takes a drag of the window back as one step", () => {
    for (let high = 8; high < 20; high++) now().setWindow(PT, 0, high);
    now().undo();
    expect(now().doc.display[PT]).toMatchObject({ low: 0, high: 7 });
    expect(now().history.past).toEqual([]);
  });

  it("makes two steps of two drags with a pause between them", () => {
    vi.useFakeTimers();
    now().setBlend(0.6);
    vi.advanceTimersByTime(5000);
    now().setBlend(0.7);
    vi.useRealTimers();
    now().undo();
    expect(now().doc.blend).toBe(0.6);
  });

  it("leaves where one looks, and what one agreed to, alone", () => {
    now().addRegion(LESION);
    now().setCursor([1, 2, 3]);
    now().setZoom("axial", 2);
    now().consent({ what: "allow_failed", sentence: "the registration failed" });
    now().undo();
    expect(now().doc.regions).toEqual([]);
    expect(now().doc).toMatchObject({ cursor_mm: [1, 2, 3], zoom: { axial: 2 } });
    expect(now().doc.consents).toHaveLength(1);
  });

  it("forgets what was undone once something else is done", () => {
    now().setBlend(0.8);
    now().undo();
    now().setMode("base");
    now().redo();
    expect(now().doc.blend).toBe(0.5);
  });
});

describe("places", () => {
  it("puts what was the overlay beside, and asks nothing twice", () => {
    now().setOverlay(viewOf(MR));
    expect(now().doc.overlay?.series).toBe(MR);
    expect(now().doc.others.map((view) => view.series)).toEqual([PT]);
    expect(viewsOf(now().doc).map((view) => view.series)).toEqual([CT, MR, PT]);
  });

  it("never lays a series over itself: the two change places", () => {
    now().setBase(viewOf(PT));
    expect([now().doc.base?.series, now().doc.overlay?.series]).toEqual([PT, CT]);
    now().setPrior(viewOf(CT));
    expect([now().doc.overlay, now().doc.prior?.series]).toEqual([null, CT]);
  });

  it("flips base and overlay with their colours", () => {
    now().flip();
    expect([now().doc.base?.series, now().doc.overlay?.series]).toEqual([PT, CT]);
    expect(now().doc.display[PT]?.colours).toBe("hot-iron");
  });

  it("keeps the regions of a series that is closed", () => {
    now().addRegion(LESION);
    now().removeSeries(PT);
    expect(viewsOf(now().doc).map((view) => view.series)).toEqual([CT]);
    expect(now().doc.regions).toHaveLength(1);
  });

  it("asks for the window anew where the unit is another", () => {
    now().changeView(PT, { unit: "SUVlbm(James)" });
    expect(now().doc.display[PT]).toBeUndefined();
    now().setFacts(PT, facts(PT, { unit: "SUVlbm(James)", window: { low: 0, high: 5 } }));
    expect(now().doc.display[PT]?.high).toBe(5);
  });
});

describe("regions", () => {
  it("are numbered on, also after one was deleted", () => {
    const ids = [1, 2].map(() => now().addRegion(LESION));
    now().removeRegion(ids[0]!);
    now().addRegion(LESION);
    expect(now().doc.regions.map(({ name, number, made_by }) => [name, number, made_by])).toEqual([
      ["Lesion 2", 2, "ada"],
      ["Lesion 3", 3, "ada"],
    ]);
  });

  it("have colours of their own", () => {
    for (let count = 0; count < 10; count++) now().addRegion(LESION);
    expect(new Set(now().doc.regions.map((region) => region.colour.join())).size).toBe(10);
  });
});

describe("bookmarks", () => {
  it("have a picture of the plane under the pointer, which is no part of the view", () => {
    now().setHover({ pane: "coronal", point_mm: [0, 0, 0] });
    const id = now().addBookmark();
    expect(now().doc.bookmarks[0]?.view.active).toBe("coronal");
    now().setHover(null);
    now().addBookmark();
    expect(now().doc.bookmarks[1]?.view.active).toBe("axial");
    now().showBookmark(id);
    expect(now().doc).not.toHaveProperty("active");
  });

  it("bring the view back, and leave what was made", () => {
    now().setBlend(0.9);
    const id = now().addBookmark();
    now().setBlend(0.1);
    now().setOverlay(null);
    now().addRegion(LESION);
    now().showBookmark(id);
    expect([now().doc.blend, now().doc.overlay?.series, now().doc.regions.length]).toEqual([0.9, PT, 1]);
  });
});

describe("the draft", () => {
  it("is dirty after a change, and not for having read a series", () => {
    expect(now().draft.is_dirty).toBe(false);
    now().setFacts(MR, facts(MR));
    expect(now().draft.is_dirty).toBe(false);
    now().setCursor([0, 0, 0]);
    expect(now().draft.is_dirty).toBe(true);
  });
});

it("a bookmark that shows other series drops none from the workspace, and no window", () => {
  const id = now().addBookmark();
  now().setOverlay(viewOf(MR));
  now().setFacts(MR, facts(MR));
  now().showBookmark(id);
  expect(now().doc.overlay?.series).toBe(PT);
  expect(viewsOf(now().doc).map((view) => view.series)).toEqual([CT, PT, MR]);
  expect(now().doc.display[MR]).toBeDefined();
});
