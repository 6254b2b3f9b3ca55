import { describe, expect, it } from "vitest";

import { PRESETS, namesOf, presetOf, toggled } from "./options";

const [BASIC, PET] = PRESETS;

describe("the options of an anonymization", () => {
  it("are none for the basic profile", () => {
    expect(namesOf(BASIC)).toEqual([]);
  });

  it("are those of a preset, whatever they were clicked in", () => {
    expect(PET && namesOf(PET).sort()).toEqual(["device", "patient", "shifted-dates"]);
    expect(presetOf({ dates: "shifted", options: ["device", "patient"] })?.name).toBe("pet");
  });

  it("are a choice of one's own as soon as one differs", () => {
    expect(presetOf(toggled(BASIC, "uids"))).toBeUndefined();
    expect(presetOf({ ...BASIC, dates: "kept" })).toBeUndefined();
    expect(presetOf(toggled(toggled(BASIC, "uids"), "uids"))?.name).toBe("basic");
  });

  it("keep dates or shift them, never both", () => {
    expect(namesOf({ dates: "kept", options: ["uids"] })).toEqual(["dates", "uids"]);
  });
});
