import { describe, expect, it } from "vitest";

import type { MediaProfile } from "../../../api/media";
import type { Job } from "../../../api/types";
import { kindOf, mediumOf, paceOf, planWords, profileGroups, sizeOptions, usualProfile } from "./media";
import { shareOf } from "../../jobs/words";

const GB = 1e9;

function profile(name: string, title: string, capacity_bytes: number | null, sizes: MediaProfile["sizes"] = []): MediaProfile {
  return {
    name, title, capacity_bytes, sizes, section: "", medium: "", file_system: "", image: "", syntaxes: [],
    is_lossy_possible: false, is_every_class: true,
  };
}

const CD = profile("STD-GEN-CD", "CD, uncompressed", 0.7 * GB, [
  { name: "CD-R, 74 minutes", size_bytes: 0.65 * GB },
  { name: "CD-R, 80 minutes", size_bytes: 0.7 * GB },
]);
const DVD = profile("STD-GEN-DVD-JPEG", "DVD, with JPEG", 4.7 * GB);
const STICK = profile("STD-GEN-USB-JPEG", "USB stick, with JPEG", null);
const CTMR = profile("STD-CTMR-CD", "CD, CT and MR only", 0.7 * GB);
const ALL = [STICK, CD, CTMR, DVD];

describe("the medium that is offered", () => {
  it("is the smallest usual one that has room", () => {
    expect(usualProfile(ALL, 1e6)).toBe(CD);
    expect(usualProfile(ALL, 0.699 * GB)).toBe(DVD);
    expect(usualProfile(ALL, 2 * GB)).toBe(DVD);
    expect(usualProfile(ALL, 500 * GB)).toBe(STICK);
    expect(usualProfile([CD], 500 * GB)).toBe(CD);
    expect(usualProfile([], 1)).toBeUndefined();
  });

  it("is that of the last time where it has room", () => {
    expect(usualProfile(ALL, 1e6, "STD-CTMR-CD")).toBe(CTMR);
    expect(usualProfile(ALL, 2 * GB, "STD-CTMR-CD")).toBe(DVD);
  });
});

it("groups the profiles by medium, the usual first", () => {
  expect(mediumOf(DVD)).toBe("DVD");
  expect(kindOf(CTMR)).toBe("CT and MR only");
  expect(profileGroups(ALL).map(({ group, items }) => [group, items.length])).toEqual([["CD", 2], ["DVD", 1], ["USB stick", 1]]);
});

it("offers the sizes that there are, or what people buy", () => {
  expect(sizeOptions(CD)).toEqual([
    { value: String(0.65 * GB), label: "CD-R, 74 minutes (650 MB)" },
    { value: "", label: "CD-R, 80 minutes (700 MB)" },
  ]);
  expect(sizeOptions(STICK)[0]).toEqual({ value: "", label: "As large as needed" });
});

it("says how much a plan is, and that it is an estimate where objects are converted", () => {
  const volume = { number: 1, studies: 1, objects: 3, size_bytes: 2e6 };
  const plan = {
    profile: "STD-GEN-CD", studies: 1, objects: 3, size_bytes: 2e6, volumes: [volume], conversions: [], refusals: [], refused: 0, warnings: [],
  };
  expect(planWords(plan, CD)).toBe("1 CD, 3 objects, 2.00 MB");
  const converted = { ...plan, volumes: [volume, volume], conversions: [{ from_syntax: "a", to_syntax: "b", objects: 1 }] };
  expect(planWords(converted, CD)).toBe("2 CDs, 3 objects, about 2.00 MB");
});

describe("how far a job is", () => {
  const job = (message: string, state: Job["state"] = "running") => ({ message, state, started_s: 100 }) as Job;

  it("is read from what it says", () => {
    expect(shareOf(job("writing, 45 %"))).toBe(0.45);
    expect(shareOf(job("1,200 of 4,800 files, 600 a second"))).toBe(0.25);
    expect(shareOf(job("12 files, 600 a second"))).toBeNull();
    expect(shareOf(job("19 objects", "done"))).toBe(1);
  });

  it("makes a rate and a time left once that can be known", () => {
    expect(paceOf(job("writing, 50 %"), 100e6, 110)).toEqual({ bytes_per_s: 5e6, left_s: 10 });
    expect(paceOf(job("planning, 5 %"), 100e6, 110)).toBeNull();
    expect(paceOf(job("writing, 50 %"), 100e6, 101)).toBeNull();
    expect(paceOf(job("", "queued"), 100e6, 110)).toBeNull();
  });
});
