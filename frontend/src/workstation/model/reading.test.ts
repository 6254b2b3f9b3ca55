import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { VolumeFacts } from "../../api/workstation";
import { Refusal, serviceWith } from "../../test/service";
import { CT, MR, PT, WORKSPACE, facts } from "../test/scene";
import { viewOf } from "./document";
import { isUnaligned, readAgain, startReading } from "./reading";
import { NOTHING, useWorkspace } from "./store";

const now = () => useWorkspace.getState();
const at = (series: string, query = "") => `GET /api/volumes/${series}${query}`;
const NOT_REGISTERED = new Refusal({ title: "Conflict", status: 409, detail: "not registered: no path", setting: "registration" });

let stop: () => void = () => undefined;

beforeEach(() => {
  useWorkspace.setState({ ...NOTHING });
  now().open(WORKSPACE, { database: "", user: "ada" });
});

afterEach(() => { stop(); });

const settled = (test: () => void) => vi.waitFor(test, { timeout: 3000, interval: 5 });

describe("reading", () => {
  it("reads the base by itself and the overlay as it lies onto it", async () => {
    const asked = serviceWith({ [at(CT)]: facts(CT), [at(PT, `?onto=${CT}`)]: facts(PT) });
    stop = startReading();
    await settled(() => { expect(Object.keys(now().facts)).toHaveLength(2); });
    expect(asked.map((each) => each.route).sort()).toEqual([at(CT), at(PT, `?onto=${CT}`)]);
    expect(now().doc.display[PT]?.high).toBe(7);
  });

  it("asks again while the service is still reading", async () => {
    let asks = 0;
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: (): unknown => (++asks < 2 ? { done: 1, total: 4 } : facts(PT)) });
    stop = startReading();
    await settled(() => { expect(now().reading[PT]).toEqual({ done: 1, total: 4 }); });
    await settled(() => { expect(now().facts[PT]?.id).toBe(`voxels of ${PT}`); });
    expect(now().reading[PT]).toBeUndefined();
  });

  it("shows what is not registered by itself, and goes on saying that it is not", async () => {
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: facts(PT, { id: "alone" }), [at(PT, `?onto=${CT}`)]: NOT_REGISTERED });
    stop = startReading();
    await settled(() => { expect(now().facts[PT]?.id).toBe("alone"); });
    expect(isUnaligned(now().problems[PT])).toBe(true);
    expect(now().problems[PT]?.sentence).toBe("Not registered: no path.");
  });

  it("reads all anew onto another base, and forgets what lay on the old one", async () => {
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: facts(PT) });
    stop = startReading();
    await settled(() => { expect(Object.keys(now().facts)).toHaveLength(2); });
    const asked = serviceWith({ [at(CT)]: facts(CT, { id: "onto PET" }), [at(PT)]: facts(PT) });
    now().flip();
    expect(now().facts).toEqual({});
    await settled(() => { expect(now().facts[CT]?.id).toBe("onto PET"); });
    expect(asked.map((each) => each.route).sort()).toEqual([at(CT, `?onto=${PT}`), at(PT)]);
  });

  it("asks with the consent that was given", async () => {
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: NOT_REGISTERED });
    stop = startReading();
    await settled(() => { expect(now().problems[PT]).toBeDefined(); });
    const asked = serviceWith({ [at(PT)]: facts(PT) });
    now().changeView(PT, { allow_other_patient: true });
    await settled(() => { expect(now().problems[PT]).toBeUndefined(); });
    expect(asked.at(-1)?.route).toBe(at(PT, `?onto=${CT}&allow_other_patient=true`));
  });

  it("takes off what is registered no more, and lays it over again when it is", async () => {
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: facts(PT) });
    stop = startReading();
    await settled(() => { expect(Object.keys(now().facts)).toHaveLength(2); });
    const gone = serviceWith({ [at(CT)]: facts(CT), [at(PT)]: facts(PT, { id: "alone" }), [at(PT, `?onto=${CT}&known=voxels+of+${PT}`)]: NOT_REGISTERED });
    readAgain();
    await settled(() => { expect(now().facts[PT]?.id).toBe("alone"); });
    expect(isUnaligned(now().problems[PT])).toBe(true);
    expect(gone.map((each) => each.route)).toContain(at(CT, `?known=voxels+of+${CT}`));
    serviceWith({ [at(CT)]: facts(CT), [at(PT, `?onto=${CT}`)]: facts(PT, { id: "registered anew" }) });
    readAgain();
    await settled(() => { expect(now().facts[PT]?.id).toBe("registered anew"); });
    expect(now().problems[PT]).toBeUndefined();
  });

  it("leaves what still holds, and what nobody answers about, as it is", async () => {
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: facts(PT) });
    stop = startReading();
    await settled(() => { expect(Object.keys(now().facts)).toHaveLength(2); });
    const before = now().facts;
    const asked = serviceWith({ [at(CT)]: facts(CT), [at(PT)]: new Refusal({ title: "No", status: 503, detail: "" }) });
    readAgain();
    await settled(() => { expect(asked).toHaveLength(2); });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(now().facts).toBe(before);
    expect(now().problems).toEqual({});
  });

  it("drops the answer to what is no longer wanted", async () => {
    let answer: (facts: VolumeFacts) => void = () => undefined;
    serviceWith({ [at(CT)]: facts(CT), [at(PT)]: facts(PT) });
    const fetch = globalThis.fetch;
    vi.stubGlobal("fetch", (address: string, init: RequestInit) => {
      if (!address.includes(PT)) return fetch(address, init);
      return new Promise((resolve, reject) => {
        answer = (facts) => { resolve(new Response(JSON.stringify(facts))); };
        init.signal?.addEventListener("abort", () => { reject(new DOMException("No", "AbortError")); });
      });
    });
    stop = startReading();
    await settled(() => { expect(now().facts[CT]).toBeDefined(); });
    now().setOverlay(viewOf(MR));
    answer(facts(PT));
    await Promise.resolve();
    expect(now().facts[PT]).toBeUndefined();
  });
});
