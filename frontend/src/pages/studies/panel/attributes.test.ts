import { describe, expect, it } from "vitest";

import type { Attribute } from "../../../api/types";
import { asText, found } from "./attributes";

function attribute(tag: string, name: string, value: string, depth = 0): Attribute {
  return { tag, name, value, depth, keyword: name.replaceAll(" ", ""), vr: "LO", item: depth ? "1" : "" };
}

const ALL = [
  attribute("(0010,0010)", "Patient's Name", "Doe^Jane"),
  attribute("(0054,0016)", "Radiopharmaceutical Information Sequence", "1 item"),
  attribute("(0018,1074)", "Radionuclide Total Dose", "388777472", 1),
  attribute("(0054,0300)", "Radionuclide Code Sequence", "1 item", 1),
  attribute("(0008,0104)", "Code Meaning", "^18^Fluorine", 2),
  attribute("(0020,000D)", "Study Instance UID", "1.2.3"),
];
const tags = (text: string) => found(ALL, text).map((each) => each.tag.slice(1, -1)).join(" ");

describe("searching attributes", () => {
  it("finds names, keywords and values, in any case", () => {
    expect(tags("patient")).toBe("0010,0010");
    expect(tags("STUDYINSTANCEUID")).toBe("0020,000D");
    expect(tags("jane")).toBe("0010,0010");
  });

  it("finds tags however they are written", () => {
    for (const text of ["0020,000d", "(0020,000D)", "0020000D", "0020"]) expect(tags(text)).toBe("0020,000D");
  });

  it("shows what holds the attribute that is found, and nothing beside it", () => {
    expect(tags("fluorine")).toBe("0054,0016 0054,0300 0008,0104");
    expect(tags("total dose")).toBe("0054,0016 0018,1074");
  });

  it("wants every word", () => {
    expect(tags("study uid")).toBe("0020,000D");
    expect(tags("study dose")).toBe("");
  });

  it("shows everything without a word", () => {
    expect(found(ALL, "  ")).toBe(ALL);
  });

  it("takes signs of patterns as text", () => {
    expect(tags(".*[")).toBe("");
  });
});

describe("copying attributes", () => {
  it("keeps the nesting", () => {
    expect(asText(ALL.slice(1, 3))).toBe(
      "(0054,0016)\tLO\tRadiopharmaceutical Information Sequence\t1 item\n  (0018,1074)\tLO\tRadionuclide Total Dose\t388777472",
    );
  });
});
