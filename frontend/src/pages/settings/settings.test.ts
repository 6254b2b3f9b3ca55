import { describe, expect, test } from "vitest";

import type { Setting } from "../../api/types";
import { canReset, changed, inWords, shownValue } from "./draft";
import { foundSettings, labelOf, sectionIdOf, sectionsOf, variableOf } from "./sections";
import { fittingUnit, quantity, unitsOf } from "./units";

function setting(key: string, value: Setting["value"], more: Partial<Setting> = {}): Setting {
  return { key, section: "", value, default: value, source: "default", kind: "text", choices: [], description: "", needs_restart: false, ...more };
}

describe("quantities", () => {
  test.each([
    [68_719_476_736, "storage.object_limit_bytes", "64 GiB"],
    [67_108_865, "storage.reserve_bytes", "67,108,865 bytes"],
    [300, "limits.idle_s", "5 minutes"],
    [60, "limits.pdu_s", "1 minute"],
    [0.25, "jobs.poll_s", "0.25 seconds"],
    [1, "jobs.keep_days", "1 day"],
    [12, "sessions.hours", "12 hours"],
    [90, "sessions.idle_minutes", "90 minutes"],
    [0, "undo_minutes", "0 minutes"],
    [6000, "limits.associations", "6,000"],
    [11112, "dicom_port", "11112"],
  ])("%d of %s is %s", (value, key, words) => {
    expect(quantity(value, key)).toBe(words);
  });

  test("every unit gives the value back", () => {
    for (const unit of unitsOf("x_bytes")) {
      const value = 3 * unit.factor;
      expect(fittingUnit(value, unitsOf("x_bytes"))).toEqual(unit);
    }
  });
});

describe("sections", () => {
  const settings = ["limits.pdu_s", "ae_title", "something_new", "host", "storage.duplicates", "databases"].map((key) => setting(key, ""));

  test("every setting stands in exactly one of them, in the order of the plan", () => {
    const sections = sectionsOf(settings);
    expect(sections.map((section) => section.id)).toEqual(["node", "databases", "storage", "limits", "tls", "other"]);
    expect(sections[0]?.settings.map((each) => each.key)).toEqual(["ae_title", "host"]);
    expect(sections.flatMap((section) => section.settings)).toHaveLength(settings.length);
  });

  test("a setting is found by words of its label, key or description", () => {
    const sections = sectionsOf([setting("limits.pdu_s", 60, { description: "From first to last byte." }), setting("host", "")]);
    const keys = (text: string): string[] => foundSettings(sections, text).map((each) => each.key);
    expect(keys("PDU byte")).toEqual(["limits.pdu_s"]);
    expect(keys("address")).toEqual(["host"]);
    expect(keys("nothing such")).toEqual([]);
  });

  test("what is wrong is found by its key, also inside a map", () => {
    expect(sectionIdOf(sectionsOf(settings), "databases.BAD TITLE")).toBe("databases");
    expect(sectionIdOf(sectionsOf(settings), "nowhere")).toBeUndefined();
  });

  test("a key without a label is told by its own words", () => {
    expect(labelOf("jobs.new_thing_s")).toBe("New thing");
    expect(labelOf("ae_title")).toBe("AE title");
    expect(variableOf("limits.pdu_s")).toBe("RADFUSE_LIMITS__PDU_S");
  });
});

describe("changes", () => {
  const atDefault = setting("host", "127.0.0.1");
  const inFile = setting("host", "0.0.0.0", { default: "127.0.0.1", source: "file" });

  test("a value that is the saved one again is no change", () => {
    const draft = changed({}, atDefault, "0.0.0.0");
    expect(draft).toEqual({ host: "0.0.0.0" });
    expect(changed(draft, atDefault, "127.0.0.1")).toEqual({});
    expect(changed({ host: "x" }, inFile, "0.0.0.0")).toEqual({});
  });

  test("the default of what the file says is a change to null, and shown", () => {
    const draft = changed({}, inFile, null);
    expect(draft).toEqual({ host: null });
    expect(shownValue(draft, inFile)).toBe("127.0.0.1");
    expect(canReset(draft, inFile)).toBe(false);
    expect(canReset({}, inFile)).toBe(true);
  });

  test("writing down the default is a change of what the file says", () => {
    expect(changed({}, inFile, "127.0.0.1")).toEqual({ host: "127.0.0.1" });
  });

  test("the order of a map is no difference", () => {
    const map = setting("databases", { A: "a", B: "b" }, { kind: "map", source: "file" });
    expect(changed({}, map, { B: "b", A: "a" })).toEqual({});
  });

  test("values are told in words", () => {
    expect(inWords(true, "x")).toBe("on");
    expect(inWords([], "x")).toBe("none");
    expect(inWords({ CT: "research" }, "x")).toBe("CT → research");
    expect(inWords("", "x")).toBe("not set");
  });
});
