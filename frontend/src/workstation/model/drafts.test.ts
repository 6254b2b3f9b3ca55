import { beforeEach, describe, expect, it } from "vitest";

import { Refusal, serviceWith } from "../../test/service";
import { LESION, WORKSPACE, openScene } from "../test/scene";
import { keep, keepAll, keepMine, keepNow, takeTheirs } from "./drafts";
import { useWorkspace } from "./store";

const now = () => useWorkspace.getState();
const PUT = "PUT /api/workspaces/w1";
const GET = "GET /api/workspaces/w1";
const TOO_LATE = new Refusal({ title: "Conflict", status: 409, detail: "somebody else has changed this draft", setting: "revision" });
const THEIRS = { ...WORKSPACE, revision: 7, changed_by: "bob" };

beforeEach(openScene);

describe("keeping", () => {
  it("sends the document with the revision it was built on, once", async () => {
    const asked = serviceWith({ [PUT]: { revision: 2 } });
    await keep();
    expect(asked).toEqual([]);
    now().addRegion(LESION);
    await keep();
    await keep();
    expect(asked.map((each) => each.route)).toEqual([PUT]);
    expect(asked[0]?.body).toMatchObject({ revision: 1, state: { regions: [{ name: "Lesion 1" }] } });
    expect(now().revision).toBe(2);
    expect(now().draft).toMatchObject({ is_dirty: false, is_offline: false });
  });

  it("keeps what was done while it was being sent for the next time", async () => {
    serviceWith({ [PUT]: () => { now().setBlend(0.9); return { revision: 2 }; } });
    now().setBlend(0.8);
    await keep();
    expect(now().draft.is_dirty).toBe(true);
  });

  it("waits for what is on its way where everything must be kept before something else begins", async () => {
    let count = 1;
    serviceWith({ [PUT]: () => ({ revision: ++count }) });
    now().setBlend(0.8);
    void keep();
    now().setBlend(0.9);
    await keepNow();
    expect(now().draft).toMatchObject({ is_dirty: false, is_saving: false });
  });

  it("sends what was done meanwhile as well when the document is left", async () => {
    let count = 1;
    const asked = serviceWith({ [PUT]: () => ({ revision: ++count }) });
    now().setBlend(0.8);
    void keep();
    now().setBlend(0.9);
    const left = keepAll();
    now().close();
    await left;
    expect(asked.map((each) => each.body)).toMatchObject([{ revision: 1, state: { blend: 0.8 } }, { revision: 2, state: { blend: 0.9 } }]);
  });

  it("says that there is no answer, and goes on as soon as there is one", async () => {
    serviceWith({ [PUT]: new Refusal({ title: "No", status: 503, detail: "" }) });
    now().setBlend(0.8);
    await keep();
    expect(now().draft).toMatchObject({ is_dirty: true, is_offline: true, is_saving: false });
    serviceWith({ [PUT]: { revision: 2 } });
    await keep();
    expect(now().draft).toMatchObject({ is_dirty: false, is_offline: false });
  });

  it("says why the service will not have it, and does not ask again for the same", async () => {
    const asked = serviceWith({ [PUT]: new Refusal({ title: "No", status: 413, detail: "a draft holds at most 32 MB" }) });
    now().setBlend(0.8);
    await keep();
    await keep();
    expect(now().draft.refusal).toBe("A draft holds at most 32 MB.");
    expect(asked).toHaveLength(1);
    now().setBlend(0.7);
    await keep();
    expect(asked).toHaveLength(2);
  });
});

describe("two people", () => {
  it("the later one is told, and may go on with what stands here", async () => {
    serviceWith({ [PUT]: TOO_LATE, [GET]: THEIRS });
    now().addRegion(LESION);
    await keep();
    expect(now().draft.conflict?.theirs.changed_by).toBe("bob");
    const asked = serviceWith({ [PUT]: { revision: 8 } });
    await keep();
    expect(asked).toEqual([]);
    await keepMine();
    expect(asked[0]?.body).toMatchObject({ revision: 7, state: { regions: [{ name: "Lesion 1" }] } });
    expect(now().draft).toMatchObject({ conflict: null, is_dirty: false });
  });

  it("or with what the other made", async () => {
    serviceWith({ [PUT]: TOO_LATE, [GET]: THEIRS });
    now().addRegion(LESION);
    await keep();
    takeTheirs();
    expect(now().doc.regions).toEqual([]);
    expect(now().revision).toBe(7);
    expect(now().opening?.PatientID).toBe("1");
    expect(now().draft).toMatchObject({ conflict: null, is_dirty: false });
  });
});
