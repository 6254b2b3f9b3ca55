import { describe, expect, it } from "vitest";

import { ApiError } from "../api/client";
import type { UploadResult, UploadedFile } from "../api/types";
import { UploadQueue, nextBatch, type Progress } from "./queue";
import type { SendFiles } from "./request";
import type { Found } from "./walk";

const MB = 1 << 20;

/** A file that claims its size without having it. */
function found(path: string, size = 1000): Found {
  const file = { name: path, size, slice: () => new Blob(["x"]) } as unknown as File;
  return { path, file };
}

function some(count: number, size = 1000): Found[] {
  return Array.from({ length: count }, (_, at) => found(`folder/${String(at)}.dcm`, size));
}

function kept(files: readonly Found[]): UploadResult {
  const results = files.map(({ path }): UploadedFile => ({ name: path, state: "kept", reason: "", study: "1.2" }));
  return { files: results, kept: files.length, duplicates: 0, refused: 0, ignored: 0, studies: ["1.2"], findings: [{ kind: "missing files", count: 2 }] };
}

/** A service that keeps everything, and remembers how it was asked. */
class Service {
  requests: string[][] = [];
  running = 0;
  most = 0;

  readonly send: SendFiles = async ({ files, onProgress }) => {
    this.requests.push(files.map(({ path }) => path));
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise((resolve) => setTimeout(resolve));
    onProgress(1e12);
    this.running -= 1;
    return kept(files);
  };
}

async function over(queue: UploadQueue): Promise<Progress> {
  while (queue.snapshot().state === "running") await new Promise((resolve) => setTimeout(resolve));
  return queue.snapshot();
}

describe("an upload", () => {
  it("sends 20,000 files in few requests at a time, each once", async () => {
    const service = new Service();
    const queue = new UploadQueue(service.send);
    await queue.add(some(20_000));
    const done = await over(queue);
    expect(done).toMatchObject({ state: "done", files: 20_000, done_files: 20_000, kept: 20_000, isLooking: false });
    expect(done.sent_bytes).toBe(done.bytes);
    expect(new Set(service.requests.flat()).size).toBe(20_000);
    expect(service.most).toBe(3);
    expect(Math.max(...service.requests.map((files) => files.length))).toBe(64);
  });

  it("begins while folders are still looked through", async () => {
    const service = new Service();
    const queue = new UploadQueue(service.send);
    let goOn: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => (goOn = resolve));
    async function* slowly() {
      yield* some(64);
      await wait;
      yield found("last.dcm");
    }
    const adding = queue.add(slowly());
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(service.requests).toHaveLength(1);
    expect(queue.snapshot()).toMatchObject({ state: "running", isLooking: true, kept: 64 });
    goOn();
    await adding;
    expect(await over(queue)).toMatchObject({ state: "done", kept: 65 });
  });

  it("takes more files while it runs", async () => {
    const queue = new UploadQueue(new Service().send);
    void queue.add(some(10));
    void queue.add(some(5));
    expect(await over(queue)).toMatchObject({ files: 15, kept: 15, studies: ["1.2"] });
    expect(Object.keys(queue.snapshot().findings)).toEqual(["missing files"]);
  });

  it("does not send what a system leaves in folders", async () => {
    const service = new Service();
    const queue = new UploadQueue(service.send);
    await queue.add([found("a/.DS_Store"), found("a/image.dcm"), found("__MACOSX/a/._image.dcm")]);
    expect(await over(queue)).toMatchObject({ files: 3, done_files: 3, kept: 1, ignored: 2 });
    expect(service.requests).toEqual([["a/image.dcm"]]);
  });

  it("tells what was refused, and why", async () => {
    const refused: UploadedFile = { name: "bad.dcm", state: "refused", reason: "it ends early", study: "" };
    const queue = new UploadQueue(() =>
      Promise.resolve({ files: [refused], kept: 0, duplicates: 0, refused: 1, ignored: 0, studies: [], findings: [] }),
    );
    await queue.add([found("bad.dcm")]);
    expect(await over(queue)).toMatchObject({ refused: 1, results: [refused] });
  });

  it("is over at once when there is nothing to send", async () => {
    const queue = new UploadQueue(new Service().send);
    await queue.add([]);
    expect(await over(queue)).toMatchObject({ state: "done", files: 0 });
  });
});

describe("an upload with a bad connection", () => {
  const broken = new ApiError({ title: "No answer", status: 0, detail: "the connection broke" });

  it("tries again and says so meanwhile", async () => {
    let attempts = 0;
    const troubles: string[] = [];
    const queue = new UploadQueue((sending) => {
      attempts += 1;
      troubles.push(queue.snapshot().trouble);
      return attempts < 3 ? Promise.reject(broken) : Promise.resolve(kept(sending.files));
    }, 1);
    await queue.add(some(2));
    expect(await over(queue)).toMatchObject({ kept: 2, refused: 0, trouble: "" });
    expect(troubles.at(-1)).toBe("the connection broke; trying again");
  });

  it("gives up after some attempts and names the files", async () => {
    let attempts = 0;
    const queue = new UploadQueue(() => {
      attempts += 1;
      return Promise.reject(broken);
    }, 1);
    await queue.add(some(2));
    expect(await over(queue)).toMatchObject({ state: "done", done_files: 2, refused: 2 });
    expect(attempts).toBe(4);
  });

  it("does not ask again what was refused altogether", async () => {
    let attempts = 0;
    const queue = new UploadQueue(() => {
      attempts += 1;
      return Promise.reject(new ApiError({ title: "Too large", status: 413, detail: "too large" }));
    });
    await queue.add(some(3));
    expect((await over(queue)).results.map((each) => each.reason)).toEqual(["too large", "too large", "too large"]);
    expect(attempts).toBe(1);
  });

  it("leaves out a file that cannot be read and sends the others", async () => {
    const locked = found("locked.dcm");
    locked.file.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("locked")) }) as unknown as Blob;
    const queue = new UploadQueue((sending) =>
      sending.files.includes(locked) ? Promise.reject(broken) : Promise.resolve(kept(sending.files)),
    );
    await queue.add([...some(2), locked]);
    const done = await over(queue);
    expect(done).toMatchObject({ kept: 2, refused: 1, done_files: 3 });
    expect(done.results[0]).toMatchObject({ name: "locked.dcm", reason: "the browser cannot read this file" });
  });
});

describe("cancelling an upload", () => {
  it("ends the requests and sends nothing more", async () => {
    let aborted = 0;
    const queue = new UploadQueue(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            aborted += 1;
            reject(new DOMException("", "AbortError"));
          });
        }),
    );
    await queue.add(some(1000));
    queue.cancel();
    await new Promise((resolve) => setTimeout(resolve));
    expect([aborted, queue.snapshot().state]).toEqual([3, "cancelled"]);
    queue.dismiss();
    expect(queue.snapshot()).toMatchObject({ state: "idle", files: 0 });
  });

  it("leaves room for the next one", async () => {
    const service = new Service();
    const queue = new UploadQueue(service.send);
    void queue.add(some(10));
    queue.cancel();
    await queue.add(some(3));
    expect(await over(queue)).toMatchObject({ state: "done", files: 3, kept: 3 });
  });
});

describe("a request", () => {
  it("holds many small files, few large ones, and a huge one alone", () => {
    expect(nextBatch(some(100))).toHaveLength(64);
    expect(nextBatch(some(100, 10 * MB))).toHaveLength(2);
    expect(nextBatch([found("huge.dcm", 900 * MB), ...some(3)])).toHaveLength(1);
    expect(nextBatch([])).toHaveLength(0);
  });
});
