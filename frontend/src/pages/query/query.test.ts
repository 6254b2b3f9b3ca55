import { describe, expect, it } from "vitest";

import { anywhere, dateKey, EMPTY_FORM, faultOf, nameKey, periodOf, periodWith, retrievalsOf, studyQuery } from "./form";
import { modalitiesOf, numberOf, rowsOf, sorted } from "./rows";

describe("names as people type them", () => {
  it.each([
    ["", ""],
    ["doe", "doe*"],
    ["doe, jane", "doe*^jane*"],
    ["  van der   Berg ,  jan  ", "van der Berg*^jan*"],
    ["DOE^J*", "DOE^J*"],
    ["doe*, jane", "doe*^jane"],
    ["山田^太郎", "山田^太郎"],
  ])("%j is asked for as %j", (typed, key) => {
    expect(nameKey(typed)).toBe(key);
  });
});

describe("the keys of a query", () => {
  it("hold what is filled in, and ask for the rest", () => {
    const { level, keys } = studyQuery({ ...EMPTY_FORM, id: " 42 ", description: "pet", modality: "PT" });
    expect(level).toBe("study");
    expect(keys).toMatchObject({ PatientID: "42", StudyDescription: "*pet*", ModalitiesInStudy: "PT", StudyInstanceUID: "", PatientName: "" });
  });

  it("have ranges of dates, open at an end that is not given", () => {
    expect(dateKey("2026-11-01", "2026-11-20")).toBe("20261101-20261120");
    expect(dateKey("2026-11-01", "2026-11-01")).toBe("20261101");
    expect(dateKey("2026-11-01", "")).toBe("20261101-");
    expect(dateKey("", "2026-11-20")).toBe("-20261120");
    expect(dateKey("", "")).toBe("");
  });

  it("leave wildcards of one's own alone", () => {
    expect(anywhere("PET*")).toBe("PET*");
    expect(anywhere("  ")).toBe("");
  });
});

describe("a form that cannot be asked", () => {
  it("says which field and why", () => {
    expect(faultOf({ ...EMPTY_FORM, from: "2026-02-01", to: "2026-01-01" })?.field).toBe("to");
    expect(faultOf({ ...EMPTY_FORM, accession: "a\\b" })?.field).toBe("accession");
    expect(faultOf(EMPTY_FORM)).toBeNull();
  });
});

describe("periods", () => {
  const today = new Date(2026, 2, 1);

  it("are days of the reader's calendar, today included", () => {
    expect(periodOf("Last 7 days", today)).toEqual({ from: "2026-02-23", to: "2026-03-01" });
    expect(periodOf("Yesterday", today)).toEqual({ from: "2026-02-28", to: "2026-02-28" });
  });

  it("are known again by their days", () => {
    expect(periodWith({ ...EMPTY_FORM, ...periodOf("Last 30 days", today) }, today)).toBe("Last 30 days");
    expect(periodWith(EMPTY_FORM, today)).toBe("Any time");
    expect(periodWith({ ...EMPTY_FORM, from: "2020-01-01" }, today)).toBeNull();
  });
});

describe("what is chosen", () => {
  it("takes as few retrievals as name it, and no series of a whole study", () => {
    const chosen = [{ study: "1" }, { study: "2" }, { study: "1", series: "1.1" }, { study: "3", series: "3.1" }, { study: "3", series: "3.2" }];
    expect(retrievalsOf("PACS1", chosen)).toEqual([
      { peer: "PACS1", level: "study", names: ["1", "2"] },
      { peer: "PACS1", level: "series", names: ["3.1", "3.2"], above: { StudyInstanceUID: "3" } },
    ]);
    expect(retrievalsOf("PACS1", [])).toEqual([]);
  });
});

describe("answers as rows", () => {
  const answers = [
    { StudyInstanceUID: "1", PatientName: "B", StudyDate: "20260101" },
    { StudyInstanceUID: "2", PatientName: "A", StudyDate: "20260301" },
  ];

  it("show the series below an opened study, or what becomes of asking for them", () => {
    const kinds = (found: Parameters<typeof rowsOf>[2]) => rowsOf(answers, new Set(["1"]), found).map((row) => row.kind);
    expect(kinds(() => ({ answers: undefined, error: null }))).toEqual(["study", "loading", "study"]);
    expect(kinds(() => ({ answers: [], error: null }))).toEqual(["study", "nothing", "study"]);
    expect(kinds(() => ({ answers: undefined, error: new Error("x") }))).toEqual(["study", "error", "study"]);
    expect(kinds(() => ({ answers: [{ SeriesInstanceUID: "1.1" }, { SeriesInstanceUID: "" }], error: null }))).toEqual(["study", "series", "series", "study"]);
  });

  it("have keys of their own although a peer tells a study twice or without its UID", () => {
    const keys = rowsOf([...answers, ...answers, {}, {}], new Set(), () => ({ answers: [], error: null })).map((row) => row.key);
    expect(new Set(keys).size).toBe(6);
  });

  it("are sorted by a column or left as they came", () => {
    expect(sorted(answers, "PatientName", false).map((each) => each.PatientName)).toEqual(["A", "B"]);
    expect(sorted(answers, "StudyDate", true)[0]?.StudyInstanceUID).toBe("2");
    expect(sorted(answers, null, false)).toBe(answers);
  });

  it("tell an unknown number from 0", () => {
    expect(numberOf("0")).toBe(0);
    expect(numberOf(" 12 ")).toBe(12);
    expect(numberOf("")).toBeNull();
    expect(numberOf(undefined)).toBeNull();
    expect(modalitiesOf({ ModalitiesInStudy: "CT\\PT" })).toEqual(["CT", "PT"]);
    expect(modalitiesOf({})).toEqual([]);
  });
});
