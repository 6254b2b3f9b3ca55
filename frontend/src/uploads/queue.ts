/**
 * Sends any number of files: few requests at a time, each with as many files as make it worth while. Only names wait,
 * so 20,000 files cost no more memory than their list.
 */
import { isAborted, problemOf } from "../api/client";
import type { UploadResult, UploadedFile } from "../api/types";
import { pause } from "./pause";
import { RateMeter } from "./rate";
import { sendFiles, type SendFiles } from "./request";
import { isLitter, type Found } from "./walk";

const REQUESTS = 3;
const FILES_PER_REQUEST = 64;
const BYTES_PER_REQUEST = 24 << 20;
const ATTEMPTS = 4;
const PAUSE_MS = 1500;
/** The page is told of changes this often: thousands of files a second are found. */
const TELL_MS = 100;
/** So many results are kept to be shown; more are only counted. */
const KEPT_RESULTS = 2000;

export interface Progress {
  state: "idle" | "running" | "done" | "cancelled";
  /** Folders are still being looked through: the totals grow. */
  isLooking: boolean;
  files: number;
  bytes: number;
  done_files: number;
  sent_bytes: number;
  bytes_per_s: number;
  kept: number;
  duplicates: number;
  refused: number;
  ignored: number;
  studies: readonly string[];
  /** What is wrong with media that were taken, by kind. */
  findings: Readonly<Record<string, number>>;
  /** Refused and ignored ones, with the reason. */
  results: readonly UploadedFile[];
  /** Why it does not go on just now. */
  trouble: string;
}

export const IDLE: Progress = {
  state: "idle",
  isLooking: false,
  files: 0,
  bytes: 0,
  done_files: 0,
  sent_bytes: 0,
  bytes_per_s: 0,
  kept: 0,
  duplicates: 0,
  refused: 0,
  ignored: 0,
  studies: [],
  findings: {},
  results: [],
  trouble: "",
};

interface Batch {
  files: Found[];
  database: string;
  sent_bytes: number;
}

export class UploadQueue {
  private progress = IDLE;
  private waiting: Found[] = [];
  private database = "";
  private readonly running = new Set<Batch>();
  private looking = 0;
  private telling: ReturnType<typeof setTimeout> | undefined;
  private settled_bytes = 0;
  private stop = new AbortController();
  private readonly rate = new RateMeter();
  private readonly studies = new Set<string>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly send: SendFiles = sendFiles,
    private readonly pause_ms = PAUSE_MS,
  ) {}

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  readonly snapshot = (): Progress => this.progress;

  /** Take in files while they are found. What was done before stays counted as long as something runs. */
  async add(files: AsyncIterable<Found> | Iterable<Found>, database = ""): Promise<void> {
    if (this.progress.state !== "running") this.begin();
    const { signal } = this.stop;
    this.database = database;
    this.looking += 1;
    this.change({ isLooking: true });
    try {
      for await (const found of files) {
        if (signal.aborted) return;
        this.take(found);
      }
    } finally {
      // What was cancelled no longer counts for the one that came after it.
      if (!signal.aborted) {
        this.looking -= 1;
        this.change({ isLooking: this.looking > 0 });
        this.pump();
      }
    }
  }

  unreadable(path: string): void {
    this.change({ files: this.progress.files + 1 });
    this.settle(1, [refusal(path, UNREADABLE)]);
  }

  cancel(): void {
    this.stop.abort();
    this.waiting = [];
    this.running.clear();
    this.change({ state: "cancelled", isLooking: false, trouble: "" });
  }

  /** Put the results away. */
  dismiss(): void {
    if (this.progress.state !== "running") this.change(IDLE);
  }

  private begin(): void {
    this.stop = new AbortController();
    this.waiting = [];
    this.running.clear();
    this.studies.clear();
    this.settled_bytes = 0;
    this.looking = 0;
    this.rate.reset();
    this.change({ ...IDLE, state: "running" });
  }

  private take(found: Found): void {
    const { files, bytes } = this.progress;
    this.change({ files: files + 1, bytes: bytes + found.file.size });
    if (isLitter(found.path)) {
      this.settled_bytes += found.file.size;
      this.settle(1, [{ name: found.path, state: "ignored", reason: "a file of the system", study: "" }]);
      return;
    }
    this.waiting.push(found);
    // While folders are looked through, full requests go out already.
    if (this.waiting.length >= FILES_PER_REQUEST) this.pump();
  }

  private pump(): void {
    while (this.running.size < REQUESTS && this.waiting.length > 0) {
      const batch = { files: nextBatch(this.waiting), database: this.database, sent_bytes: 0 };
      this.running.add(batch);
      void this.deliver(batch, this.stop.signal);
    }
    if (this.running.size === 0 && this.looking === 0 && this.progress.state === "running") {
      this.change({ state: "done", trouble: "", sent_bytes: this.progress.bytes });
    }
  }

  private async deliver(batch: Batch, signal: AbortSignal): Promise<void> {
    let files = batch.files;
    for (let attempt = 1; files.length > 0 && !signal.aborted; attempt++) {
      try {
        const result = await this.send({
          files,
          database: batch.database,
          signal,
          onProgress: (sent) => { if (!signal.aborted) this.sentOf(batch, sent); },
        });
        if (signal.aborted) return;
        this.take_result(files.length, result);
        break;
      } catch (error) {
        if (isAborted(error) || signal.aborted) return;
        files = await this.afterFailure(batch, files, error, attempt, signal);
      }
    }
    if (signal.aborted) return;
    this.running.delete(batch);
    this.settled_bytes += sizeOf(batch.files);
    this.change({ sent_bytes: this.sent() });
    this.pump();
  }

  /** What is to be tried again: without files that cannot be read, and nothing once it is no use. */
  private async afterFailure(batch: Batch, files: Found[], error: unknown, attempt: number, signal: AbortSignal) {
    const problem = problemOf(error);
    batch.sent_bytes = 0;
    const readable = problem.status === 0 ? await this.withoutUnreadable(files) : files;
    const isWorthIt = (problem.status === 0 || problem.status >= 502) && attempt < ATTEMPTS;
    if (isWorthIt) {
      this.change({ trouble: `${problem.detail}; trying again` });
      if (readable.length === files.length) await pause(this.pause_ms * attempt, signal);
      return readable;
    }
    this.settle(readable.length, readable.map(({ path }) => refusal(path, problem.detail)));
    return [];
  }

  /** A file that was moved or locked breaks the request that holds it, without saying which it was. */
  private async withoutUnreadable(files: Found[]): Promise<Found[]> {
    const readable: Found[] = [];
    for (const found of files) {
      try {
        await found.file.slice(0, 1).arrayBuffer();
        readable.push(found);
      } catch {
        this.settle(1, [refusal(found.path, UNREADABLE)]);
      }
    }
    return readable;
  }

  private take_result(files: number, result: UploadResult): void {
    result.studies.forEach((study) => this.studies.add(study));
    const { kept, duplicates } = this.progress;
    const findings = { ...this.progress.findings };
    for (const { kind, count } of result.findings) findings[kind] = (findings[kind] ?? 0) + count;
    this.change({
      kept: kept + result.kept,
      duplicates: duplicates + result.duplicates,
      studies: [...this.studies],
      findings,
      trouble: "",
    });
    this.settle(files, result.files.filter((file) => file.state === "refused" || file.state === "ignored"), result);
  }

  /** Files that are done, and those of their results that are worth showing. */
  private settle(files: number, results: UploadedFile[], counted?: UploadResult): void {
    const { done_files, refused, ignored, results: known } = this.progress;
    const count = (state: UploadedFile["state"]) => results.filter((each) => each.state === state).length;
    this.change({
      done_files: done_files + files,
      refused: refused + (counted ? counted.refused : count("refused")),
      ignored: ignored + (counted ? counted.ignored : count("ignored")),
      results: results.length > 0 && known.length < KEPT_RESULTS ? [...known, ...results].slice(0, KEPT_RESULTS) : known,
    });
  }

  private sentOf(batch: Batch, sent: number): void {
    // The form around the files counts too; it must not make more than there is.
    batch.sent_bytes = Math.min(sent, sizeOf(batch.files));
    const total = this.sent();
    this.change({ sent_bytes: total, bytes_per_s: this.rate.at(total) });
  }

  private sent(): number {
    return this.settled_bytes + [...this.running].reduce((sum, batch) => sum + batch.sent_bytes, 0);
  }

  private change(changes: Partial<Progress>): void {
    this.progress = { ...this.progress, ...changes };
    if ("state" in changes) this.tell();
    else this.telling ??= setTimeout(() => { this.tell(); }, TELL_MS);
  }

  private tell(): void {
    clearTimeout(this.telling);
    this.telling = undefined;
    this.listeners.forEach((tell) => { tell(); });
  }
}

const UNREADABLE = "the browser cannot read this file";

function refusal(name: string, reason: string): UploadedFile {
  return { name, state: "refused", reason, study: "" };
}

function sizeOf(files: readonly Found[]): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

/** Takes the next files away from those that wait: as many as fit into one request, at least one. */
export function nextBatch(waiting: Found[]): Found[] {
  let [count, bytes] = [0, 0];
  for (const { file } of waiting) {
    if (count >= FILES_PER_REQUEST || (count > 0 && bytes + file.size > BYTES_PER_REQUEST)) break;
    count += 1;
    bytes += file.size;
  }
  return waiting.splice(0, count);
}

/** The one of the console: it goes on while pages change. */
export const uploads = new UploadQueue();
