/** Voxels as they come over the line: whole slices at a time, none of them kept. */
import { ApiError, problemFrom } from "../../../api/client";

export interface Wanted {
  address: string;
  dtype: "int16" | "float32";
  /** Voxels of a slice, and how many slices there are. */
  slice: number;
  slices: number;
}

type Voxels = Int16Array | Float32Array;

/** Larger answers fill a browser's cache up to its limit, and are thrown away then. */
const KEPT_BYTES = 16 << 20;
/** Some slices at once: each upload has its price. */
const BATCH_BYTES = 2 << 20;

const READ_BYTES = 256 << 10;

interface Reader {
  /** The next bytes, to be used before more are read; null at the end. */
  read: () => Promise<Uint8Array | null>;
  cancel: () => Promise<void>;
}

/** One buffer for all of it where the browser can: else each piece waits for the garbage collector. */
function readerOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): Reader {
  try {
    const reader = body.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(READ_BYTES);
    const read = async () => {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value) buffer = value.buffer;
      return done ? null : value;
    };
    return { read, cancel: () => reader.cancel() };
  } catch {
    const reader = body.getReader();
    return { read: async () => (await reader.read()).value ?? null, cancel: () => reader.cancel() };
  }
}

/** Hand out slices as they are complete; `take` must be done with them when it returns. Throws ApiError, AbortError. */
export async function streamSlices(
  wanted: Wanted,
  take: (first: number, voxels: Voxels) => void,
  signal: AbortSignal,
): Promise<void> {
  const width = wanted.dtype === "int16" ? 2 : 4;
  const cache = wanted.slice * wanted.slices * width > KEPT_BYTES ? "no-store" : "default";
  const response = await fetch(wanted.address, { credentials: "same-origin", cache, signal });
  if (!response.ok || !response.body) {
    throw new ApiError(problemFrom(response.status, response.statusText, await response.text()));
  }
  const sliceBytes = wanted.slice * width;
  const batch = Math.max(1, Math.min(wanted.slices, Math.floor(BATCH_BYTES / sliceBytes)));
  const bytes = new Uint8Array(batch * sliceBytes);
  let filled = 0;
  let first = 0;
  const hand = () => {
    const whole = Math.floor(filled / sliceBytes);
    const count = Math.min(whole * wanted.slice, (wanted.slices - first) * wanted.slice);
    take(first, width === 2 ? new Int16Array(bytes.buffer, 0, count) : new Float32Array(bytes.buffer, 0, count));
    first += whole;
    filled = 0;
  };
  const reader = readerOf(response.body);
  try {
    for (;;) {
      const value = await reader.read();
      if (!value) break;
      for (let from = 0; from < value.length; ) {
        const part = Math.min(value.length - from, bytes.length - filled);
        bytes.set(value.subarray(from, from + part), filled);
        filled += part;
        from += part;
        if (filled === bytes.length) hand();
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (filled >= sliceBytes) hand();
  if (first < wanted.slices) throw new Error("The connection ended before all voxels had come.");
}
