import { describe, expect, it } from "vitest";

import { RateMeter, timeLeft } from "./rate";
import { byReason } from "./reasons";
import { isLitter, picked, walk } from "./walk";

function fileEntry(path: string): FileSystemEntry {
  const file = (resolve: (file: File) => void, reject: (error: Error) => void) => {
    if (path.includes("locked")) reject(new Error("locked"));
    else resolve(new File(["x"], path.split("/").at(-1) ?? ""));
  };
  return { isFile: true, isDirectory: false, fullPath: path, file } as unknown as FileSystemEntry;
}

/** Gives its entries two at a time, as browsers give a hundred. */
function folder(path: string, entries: FileSystemEntry[]): FileSystemEntry {
  const createReader = () => {
    let at = 0;
    return {
      readEntries: (resolve: (entries: FileSystemEntry[]) => void) => {
        resolve(entries.slice(at, (at += 2)));
      },
    };
  };
  return { isFile: false, isDirectory: true, fullPath: path, createReader } as unknown as FileSystemEntry;
}

async function paths(entries: FileSystemEntry[], unreadable: string[] = []): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of walk(entries, (path_) => unreadable.push(path_))) found.push(path);
  return found;
}

describe("looking through what was dropped", () => {
  it("finds every file of every folder, also beyond the first hundred", async () => {
    const five = [1, 2, 3, 4, 5].map((at) => fileEntry(`/ct/${String(at)}`));
    const entries = [folder("/ct", [...five, folder("/ct/deep", [fileEntry("/ct/deep/6")])]), fileEntry("/one.zip")];
    expect(await paths(entries)).toEqual(["ct/1", "ct/2", "ct/3", "ct/4", "ct/5", "ct/deep/6", "one.zip"]);
  });

  it("goes on after what cannot be read", async () => {
    const unreadable: string[] = [];
    expect(await paths([fileEntry("/locked"), fileEntry("/open")], unreadable)).toEqual(["open"]);
    expect(unreadable).toEqual(["locked"]);
  });

  it("knows picked files by their folder", () => {
    const file = new File(["x"], "1.dcm");
    Object.defineProperty(file, "webkitRelativePath", { value: "ct/1.dcm" });
    expect([...picked([file, new File([], "2.dcm")])].map(({ path }) => path)).toEqual(["ct/1.dcm", "2.dcm"]);
  });

  it("tells litter from files whose names only look like it", () => {
    for (const path of [".DS_Store", "a/Thumbs.db", "__MACOSX/a", "a/._b"]) expect(isLitter(path), path).toBe(true);
    for (const path of ["DICOMDIR", "a/IM0001", "Thumbs.db.dcm", "a.b/c"]) expect(isLitter(path), path).toBe(false);
  });
});

describe("how fast it goes", () => {
  it("is what the last seconds say", () => {
    let now = 0;
    const meter = new RateMeter(() => now);
    expect(meter.at(0)).toBe(0);
    now = 1000;
    expect(meter.at(5_000_000)).toBe(5_000_000);
    for (now = 2000; now <= 9000; now += 1000) meter.at(5_000_000);
    expect(meter.at(5_000_000)).toBe(0);
  });

  it("gives the time that is left, or says that nobody knows", () => {
    expect(timeLeft(100, 20)).toBe(5);
    expect(timeLeft(100, 0)).toBeNull();
  });
});

describe("results", () => {
  it("stand together by reason, refused ones first", () => {
    const file = (name: string, state: "refused" | "ignored", reason: string) => ({ name, state, reason, study: "" });
    const reasons = byReason([
      file("a", "ignored", "a text"),
      file("b", "refused", "broken"),
      file("c", "ignored", "a text"),
      file("d", "refused", "no room"),
      file("e", "refused", "no room"),
    ]);
    expect(reasons.map(({ text, files }) => `${text}: ${files.join("")}`)).toEqual(["no room: de", "broken: b", "a text: ac"]);
  });
});
