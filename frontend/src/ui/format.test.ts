import { describe, expect, it } from "vitest";

import * as f from "./format";

describe("dates and times", () => {
  it("reads DICOM dates, and those of ACR-NEMA", () => {
    for (const value of ["20260315", "2026.03.15", " 20260315 "]) {
      expect(f.formatDate(value)).toMatch(/2026/);
      expect(f.formatDate(value)).toMatch(/Mar/);
      expect(f.formatDate(value)).toMatch(/15/);
    }
    expect(f.formatLongDate("20260315")).toContain("Sunday");
  });

  it("shows what is no date as it came", () => {
    expect(f.formatDate("20261345")).toBe("20261345");
    expect(f.formatDate("20260230")).toBe("20260230");
    expect(f.formatDate("about 1950")).toBe("about 1950");
    expect(f.formatDate("")).toBe("");
  });

  it("reads years below 100 as they are", () => {
    expect(f.dayOf("00500101")?.getUTCFullYear()).toBe(50);
  });

  it("reads times of any precision", () => {
    for (const value of ["142530.123000", "142530", "1425", "14:25:30"]) expect(f.formatTime(value)).toMatch(/(14|02):25/);
    expect(f.formatTime("14")).toMatch(/(14|02):00/);
    expect(f.formatTime("2960")).toBe("2960");
    expect(f.formatTime("noon")).toBe("noon");
  });

  it("says how long ago something was, and will be", () => {
    const now = 1_800_000_000;
    expect(f.formatAgo(now - 3, now)).toBe("just now");
    expect(f.formatAgo(now - 45, now)).toBe("45 s ago");
    expect(f.formatAgo(now - 190, now)).toBe("3 min ago");
    expect(f.formatAgo(now - 7200, now)).toBe("2 h ago");
    expect(f.formatAgo(now - 3 * 86_400, now)).toBe("3 d ago");
    expect(f.formatAgo(now + 300, now)).toBe("in 5 min");
    expect(f.formatAgo(now - 30 * 86_400, now)).toMatch(/20\d\d/);
  });

  it("says ages as clinicians do", () => {
    expect(f.formatAge("19600401", "20260315")).toBe("65 y");
    expect(f.formatAge("19600315", "20260315")).toBe("66 y");
    expect(f.formatAge("20250115", "20260315")).toBe("14 mo");
    expect(f.formatAge("20260303", "20260315")).toBe("12 d");
    expect(f.formatAge("20260315", "20260315")).toBe("0 d");
    expect(f.formatAge("20260316", "20260315")).toBe("");
    expect(f.formatAge("", "20260315")).toBe("");
  });
});

describe("names", () => {
  it.each([
    ["DOE^JANE", "DOE, Jane"],
    ["Doe^Jane^M^Dr^Jr", "DOE, Jane M"],
    ["O'NEIL^ANNE-MARIE", "O'NEIL, Anne-Marie"],
    ["Doe^McKenzie", "DOE, McKenzie"],
    ["PHANTOM", "PHANTOM"],
    ["Jane Doe", "Jane Doe"],
    ["ANON123^^^^", "ANON123"],
    ["^JANE", "Jane"],
    ["", ""],
    ["^^^^", ""],
    ["Müller^Jörg", "MÜLLER, Jörg"],
    ["Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA, Tarou (山田 太郎)"],
    ["=山田^太郎", "山田 太郎"],
    ["<b>X</b>^<i>", "<B>X</B>, <i>"],
  ])("%s is %s", (value, shown) => {
    expect(f.formatName(value)).toBe(shown);
  });

  it("keep titles and other scripts apart", () => {
    expect(f.nameParts("DOE^JANE^^DR^PHD=山田^太郎=やまだ")).toEqual({
      main: "DOE, Jane",
      titles: "Dr, Phd",
      others: ["山田 太郎", "やまだ"],
    });
  });
});

describe("numbers", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [1_234_567, "1.23 MB"],
    [45_600_000, "45.6 MB"],
    [999_999_999, "1.00 GB"],
    [3_200_000_000_000, "3.20 TB"],
    [-2048, "-2.05 kB"],
    [Number.NaN, "–"],
  ])("%d bytes are %s", (bytes, shown) => {
    expect(f.formatBytes(bytes)).toBe(shown);
  });

  it.each([
    [0, "0 s"],
    [0.44, "0.4 s"],
    [12.4, "12 s"],
    [60, "1 min"],
    [130, "2 min 10 s"],
    [3900, "1 h 5 min"],
    [3601, "1 h"],
    [273_600, "3 d 4 h"],
    [-1, "–"],
    [Number.POSITIVE_INFINITY, "–"],
  ])("%d seconds are %s", (seconds, shown) => {
    expect(f.formatDuration(seconds)).toBe(shown);
  });

  it("counts things", () => {
    expect(f.formatCount(1_234_567)).toMatch(/^1.234.567$/);
    expect(f.formatCounted(1, "study", "studies")).toBe("1 study");
    expect(f.formatCounted(2, "study", "studies")).toBe("2 studies");
  });
});

describe("UIDs", () => {
  it("keep their end when they are shortened", () => {
    expect(f.shortUid("1.2.3")).toBe("1.2.3");
    const short = f.shortUid("1.2.840.113619.2.55.3.604688119.969.1268071029.320");
    expect(short).toMatch(/^1\.2\.840….*29\.320$/);
    expect(short).toHaveLength(22);
  });
});
