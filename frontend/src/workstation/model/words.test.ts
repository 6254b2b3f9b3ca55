import { describe, expect, it } from "vitest";

import { CT, PT, facts } from "../test/scene";
import { edge, figure, reasonOf } from "./words";

const { alignment } = facts(PT);
const registered = { ...alignment, kind: "registered" as const, grade: "PASS" as const, grade_reason: "residual 1.1 mm", sentence: "registered" };
const of = (change: object) => reasonOf(facts(PT, { alignment: { ...registered, ...change } }), undefined, facts(CT));

describe("the reason bar", () => {
  it("is green for one frame of reference", () => {
    expect(reasonOf(facts(PT), undefined)).toEqual({ tone: "good", word: "Same frame of reference", sentence: "" });
  });

  it("is blue for a registration that passed, and says which", () => {
    expect(of({})).toEqual({ tone: "info", word: "Registered", sentence: "Rigid, CT 05 Jan 2026 to PT 05 Jan 2026, passed: residual 1.1 mm." });
  });

  it.each([
    [{ grade: "CAUTION" }, "The registration is doubtful."],
    [{ grade: "FAIL" }, "The registration failed its check."],
    [{ grade: "NOT JUDGED" }, "Nobody has judged the registration."],
    [{ is_other_patient: true }, "Another patient."],
    [{ is_other_side: true }, "The other side of the body."],
    [{ warnings: ["two registrations differ by 4 mm"] }, "Two registrations differ by 4 mm."],
  ])("is amber for a doubt, and says it first: %j", (change, doubt) => {
    const { tone, word, sentence } = of(change);
    expect([tone, word]).toEqual(["warn", "Registered"]);
    expect(sentence.startsWith(`${doubt} Rigid, CT 05 Jan 2026`)).toBe(true);
  });

  it("says when the service had to resample, and over how many registrations", () => {
    const steps = [1, 2].map((at) => ({ registration: String(at), start: "", end: "", is_forward: true, is_deformable: false, grade: "PASS" as const }));
    const shown = facts(PT, { is_resampled: true, alignment: { ...registered, steps } });
    expect(reasonOf(shown, undefined, facts(CT)).sentence).toContain("Affine, CT 05 Jan 2026 to PT 05 Jan 2026, over 2 registrations, passed");
  });

  it("is red where nothing may be laid over, whatever was read before", () => {
    const problem = { status: 409, sentence: "Not registered: no path.", setting: "registration" };
    expect(reasonOf(facts(PT), problem)).toEqual({ tone: "bad", word: "Not registered", sentence: "No path." });
  });
});

describe("numbers", () => {
  it.each([[12.345, "12.3"], [0.4567, "0.457"], [1234.5, "1,235"], [null, "–"], [Number.NaN, "–"], [0, "0.000"]])("%s is written %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it.each([[-160, "-160"], [2.75, "2.75"], [12.34, "12.3"]])("the edge %s is written %s", (value, text) => {
    expect(edge(value)).toBe(text);
  });
});
