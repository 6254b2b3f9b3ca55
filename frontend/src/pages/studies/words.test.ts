import { describe, expect, it } from "vitest";

import type { Study } from "../../api/types";
import { leavingWords, sentWords } from "./badges";
import { amountOf, chosenStudies } from "./chosen";
import { without } from "./words";

describe("taking a word out of a search", () => {
  it("leaves the others as they were typed", () => {
    expect(without("doe PT  last week", "PT")).toBe("doe last week");
    expect(without("doe PT last week", "last week")).toBe("doe PT");
  });

  it("takes the quotes with it", () => {
    expect(without('doe "thorax low dose" ct', "thorax low dose")).toBe("doe ct");
  });

  it("finds it however it was written", () => {
    expect(without("pt doe", "PT")).toBe("doe");
  });

  it("does nothing when it is not there", () => {
    expect(without("doe", "smith")).toBe("doe");
    expect(without("doe", "")).toBe("doe");
  });
});

describe("badges in words", () => {
  it("say how long a deletion can be undone", () => {
    const badge = { kind: "leaving", due_s: 1000, job: 1 } as const;
    expect(leavingWords(badge, 770)).toBe("deleted in 4 min");
    expect(leavingWords(badge, 970)).toBe("deleted in 30 s");
    expect(leavingWords(badge, 1001)).toBe("deleting now");
  });

  it("name the first peer and count the others", () => {
    expect(sentWords(["PACS1"])).toBe("PACS1");
    expect(sentWords(["PACS1", "ARCHIVE", "LAB"])).toBe("PACS1 +2");
  });
});

describe("what is chosen", () => {
  const study = {
    StudyInstanceUID: "1.2",
    PatientName: "DOE^JANE",
    StudyDate: "20260105",
    NumberOfStudyRelatedSeries: 4,
    NumberOfStudyRelatedInstances: 1130,
    size_bytes: 12_300_000,
  } as Study;

  it("is named by patient and date when it is one study", () => {
    const chosen = chosenStudies([study], "");
    expect(chosen.what).toContain("DOE, Jane");
    expect(chosen.selection).toEqual({ studies: ["1.2"] });
    expect(amountOf(chosen)).toBe("1 study, 4 series, 1,130 instances, 12.3 MB");
  });

  it("is counted when there are several", () => {
    const chosen = chosenStudies([study, { ...study, StudyInstanceUID: "1.3" }], "research");
    expect(chosen.what).toBe("2 studies");
    expect(chosen.selection).toEqual({ studies: ["1.2", "1.3"], database: "research" });
    expect(amountOf(chosen)).toBe("2 studies, 8 series, 2,260 instances, 24.6 MB");
  });
});
