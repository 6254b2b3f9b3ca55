import { afterEach, describe, expect, it, vi } from "vitest";

import type { VolumeLevel } from "../../../api/workstation";
import { streamSlices } from "./stream";
import { levelsToRead } from "./volumes";

/** An answer that comes in parts of any length. */
function answer(voxels: Int16Array, parts: readonly number[]): Response {
  const bytes = new Uint8Array(voxels.buffer);
  let from = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = parts.length ? (parts[from % parts.length] ?? 1) : bytes.length;
      controller.enqueue(bytes.slice(from, from + size));
      from += size;
      if (from >= bytes.length) controller.close();
    },
  });
  return new Response(body);
}

const WANTED = { address: "/voxels", dtype: "int16", slice: 6, slices: 5 } as const;
const VOXELS = Int16Array.from({ length: 30 }, (_, which) => which - 7);

async function read(response: Response): Promise<{ first: number; voxels: number[] }[]> {
  vi.stubGlobal("fetch", () => Promise.resolve(response));
  const taken: { first: number; voxels: number[] }[] = [];
  await streamSlices(WANTED, (first, voxels) => taken.push({ first, voxels: [...voxels] }), new AbortController().signal);
  return taken;
}

afterEach(() => { vi.unstubAllGlobals(); });

describe("streamed voxels", () => {
  it.each([[[1]], [[7, 3]], [[12]], [[100]]])("come as whole slices, in parts of %j bytes as well", async (parts) => {
    const taken = await read(answer(VOXELS, parts));
    expect(taken.flatMap((each) => each.voxels)).toEqual([...VOXELS]);
    expect(taken.every((each) => each.voxels.length % WANTED.slice === 0)).toBe(true);
    expect(taken[0]?.first).toBe(0);
  });

  it("that end too early are no volume", async () => {
    await expect(read(answer(VOXELS.slice(0, 20), [8]))).rejects.toThrow("The connection ended before all voxels had come.");
  });

  it("that are refused say why", async () => {
    const problem = { title: "Conflict", status: 409, detail: "Not registered." };
    await expect(read(new Response(JSON.stringify(problem), { status: 409 }))).rejects.toThrow("Not registered.");
  });
});

describe("the levels that are read", () => {
  const level = (number: number, size: number): VolumeLevel => ({
    level: number, shape: [size, size, size], origin_mm: [0, 0, 0], spacing_mm: [1, 1, 1], bytes: 2 * size ** 3,
  }); // prettier-ignore
  const all = [level(0, 512), level(1, 256), level(2, 128), level(3, 64)];
  const numbers = (levels: VolumeLevel[]) => levels.map((each) => each.level);

  it("begin with the coarsest and end with the whole", () => {
    expect(numbers(levelsToRead(all, 2048))).toEqual([3, 1, 0]);
    expect(numbers(levelsToRead(all.slice(2), 2048))).toEqual([3, 2]);
    expect(numbers(levelsToRead(all.slice(3), 2048))).toEqual([3]);
  });

  it("are those that the card can take", () => {
    expect(numbers(levelsToRead(all, 256))).toEqual([3, 2, 1]);
  });
});
