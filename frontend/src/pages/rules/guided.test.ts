import { describe, expect, test } from "vitest";

import { EMPTY_RULE, lineOf, readRule, writeRule, type Guided } from "./guided";
import { readToml } from "./toml";

const OF_THE_DOCS = `
name = "pet-to-pacs"   # a comment
when = "study stable"
stable_s = 120

[if]
all = [
  { attribute = "Modality", in = ["PT", "CT"] },
  { not = { attribute = "StudyDescription", matches = "*PHANTOM*" } },
]

[then]
send = ["PACS"]
forget = { after_days = 14, committed = true }
`;

const FULL: Guided = {
  name: "all-of-it",
  isEnabled: false,
  when: "instance",
  stableS: 60,
  database: "research",
  modalities: ["CT"],
  callingAeTitles: ["CT 1", "MR_2"],
  description: 'a "quoted" \\ text\t',
  notDescription: "PHANTOM",
  send: ["PACS", "BACKUP"],
  forget: { afterDays: 0.5, isCommitted: false },
};

describe("a rule in the form", () => {
  test("the rule of the docs fills its fields", () => {
    expect(readRule(OF_THE_DOCS)).toEqual({
      guided: {
        ...EMPTY_RULE,
        name: "pet-to-pacs",
        stableS: 120,
        modalities: ["PT", "CT"],
        notDescription: "PHANTOM",
        send: ["PACS"],
        forget: { afterDays: 14, isCommitted: true },
      },
    });
  });

  test.each([EMPTY_RULE, FULL])("what the form wrote it reads again: $name", (rule) => {
    expect(readRule(writeRule(rule))).toEqual({ guided: rule });
  });

  test("tables in a list and dotted keys are the same rule", () => {
    const text = 'name = "x"\n[[if.all]]\nattribute = "Modality"\nequals = "CT"\n[then]\nsend = "PACS"\nforget.after_days = 3\n';
    expect(readRule(text)).toEqual({
      guided: { ...EMPTY_RULE, name: "x", modalities: ["CT"], send: ["PACS"], forget: { afterDays: 3, isCommitted: false } },
    });
  });

  test.each([
    'any = [{ attribute = "Modality", equals = "CT" }]',
    'attribute = "PatientID"\nequals = "1"',
    'attribute = "Modality"\nexists = false',
    'all = [{ attribute = "Modality", equals = "CT" }, { attribute = "Modality", equals = "PT" }]',
    'attribute = "StudyDescription"\nmatches = "HEAD*"',
    'not = { attribute = "Modality", equals = "CT" }',
  ])("a condition that has no field is left to the text: %s", (condition) => {
    expect(readRule(`name = "x"\n[if]\n${condition}\n[then]\nsend = ["A"]`)).toHaveProperty("reason");
  });

  test.each([
    ['name = "x', 1],
    ['name = "x"\nwhen =\n', 2],
    ['name = "x"\nname = "y"', 2],
    ["name = \"x\"\n[then]\nsend = [\"A\", \n", 4],
  ])("what is no TOML is told with its line: %j", (text, line) => {
    expect(readRule(text)).toHaveProperty("line", line);
  });

  test("a key named as a member of every object is only a key", () => {
    expect(Object.keys(readToml("[constructor]\ntoString = 1").table)).toEqual(["constructor"]);
  });
});

describe("the line of what the service refused", () => {
  test.each([
    ["if.all[1].not.attribute", 9],
    ["if.all[0].attribute", 8],
    ["then.forget.committed", 14],
    ["then.send[0]", 13],
    ["then.anonymize", 12],
    ["nowhere", null],
  ])("%s", (setting, line) => {
    expect(lineOf(OF_THE_DOCS, setting, "wrong")).toBe(line);
  });

  test("of a broken text it is the one that the sentence names", () => {
    expect(lineOf("x", undefined, "cannot be read: Expected '=' (at line 7, column 3)")).toBe(7);
  });
});
