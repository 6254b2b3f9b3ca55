/** The voxels of all shown series on the graphics card, coarse to fine, each once, gone when they are not shown. */
import { isAborted } from "../../../api/client";
import { voxelsAddress } from "../../../api/volumes";
import type { View, VolumeFacts, VolumeLevel } from "../../../api/workstation";
import { viewsOf } from "../../model/document";
import { asProposed } from "../../model/placing";
import { problemFromError, readAgain } from "../../model/reading";
import { useWorkspace } from "../../model/store";
import { setLevel } from "./card";
import type { Drawing } from "./drawing";
import { streamSlices } from "./stream";
import { makeTexture, NoRoom, type VoxelTexture } from "./texture";

interface Held {
  series: string;
  stop: AbortController;
  voxels: VoxelTexture | null;
  level: number;
}

/** Where the whole is larger than this, a level between is worth its time. */
const LARGE_BYTES = 24 << 20;
const AGAIN_MS = 2000;
/** The voxels of these facts are others now, or lie elsewhere. */
export const CHANGED = 412;
const TOLD_EVERY_MS = 100;
const SETTLED_BYTES = 16 << 20;

/** Which levels are read, one after the other: the coarsest, one between, the finest that the card takes. */
export function levelsToRead(levels: readonly VolumeLevel[], mostVoxels: number): VolumeLevel[] {
  const fitting = levels.filter(({ shape }) => Math.max(...shape) <= mostVoxels);
  const [finest, next] = fitting;
  const coarsest = fitting.at(-1);
  if (!finest || !coarsest || finest === coarsest) return finest ? [finest] : [];
  const between = next && next !== coarsest && finest.bytes > LARGE_BYTES ? [next] : [];
  return [coarsest, ...between, finest];
}

export class Volumes {
  readonly #held = new Map<string, Held>();
  readonly #drawing: Drawing;
  readonly #changed: () => void;

  constructor(drawing: Drawing, changed: () => void) {
    this.#drawing = drawing;
    this.#changed = changed;
  }

  /** The finest voxels that are there; null before any are. */
  of(facts: VolumeFacts): VoxelTexture | null {
    return this.#held.get(facts.id)?.voxels ?? null;
  }

  /** Read what is shown now, let go of what is not. */
  look(): void {
    const { facts, doc, proposed } = useWorkspace.getState();
    const all = Object.values(facts);
    const wanted = new Set(all.map((each) => each.id));
    for (const [id, held] of this.#held) if (!wanted.has(id)) this.#drop(id, held);
    for (const each of all) {
      const view = viewsOf(doc).find(({ series }) => series === each.SeriesInstanceUID);
      if (view && !this.#held.has(each.id)) void this.#read(each, asProposed(view, { doc, proposed }));
    }
  }

  free(): void {
    for (const [id, held] of this.#held) this.#drop(id, held);
  }

  #drop(id: string, held: Held): void {
    held.stop.abort();
    held.voxels?.free();
    this.#held.delete(id);
    setLevel(id, null);
  }

  async #read(facts: VolumeFacts, view: View): Promise<void> {
    const held: Held = { series: view.series, stop: new AbortController(), voxels: null, level: -1 };
    this.#held.set(facts.id, held);
    const levels = levelsToRead(facts.levels, this.#drawing.mostVoxels);
    for (;;) {
      try {
        for (const level of levels) {
          if (held.level === -1 || level.level < held.level) await this.#readLevel(facts, view, level, held);
        }
        performance.mark(`radfuse all voxels ${view.series}`);
        break;
      } catch (error) {
        if (isAborted(error) || held.stop.signal.aborted) return;
        // What is there stays, and says that it is coarse.
        if (error instanceof NoRoom && held.voxels) break;
        const problem = problemFromError(error);
        if (problem.status === CHANGED) {
          readAgain();
          return;
        }
        if (problem.status > 0 && problem.status < 502) {
          useWorkspace.getState().setProblem(view.series, problem);
          return;
        }
      }
      await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS));
      if (held.stop.signal.aborted) return;
    }
    useWorkspace.getState().setLoading(view.series, null);
  }

  async #readLevel(facts: VolumeFacts, view: View, level: VolumeLevel, held: Held): Promise<void> {
    const { doc, database, setLoading } = useWorkspace.getState();
    const onto = facts.alignment.kind === "base" ? null : (doc.base?.series ?? null);
    const [slices, rows, columns] = level.shape;
    const { origin_mm, spacing_mm, shape } = level;
    const grid = { shape, origin_mm, spacing_mm, direction: facts.direction };
    const made = makeTexture(this.#drawing.gl, grid, facts.dtype, facts.range);
    const address = voxelsAddress(view, { onto, database }, facts.id, level.level);
    let told = 0;
    let settled = 0;
    try {
      await streamSlices(
        { address, dtype: facts.dtype, slice: rows * columns, slices },
        (first, voxels) => {
          made.fill(first, voxels);
          settled += voxels.byteLength;
          if (settled > SETTLED_BYTES) {
            this.#drawing.settle(made);
            settled = 0;
          }
          if (performance.now() - told < TOLD_EVERY_MS) return;
          told = performance.now();
          setLoading(view.series, { loaded: first + voxels.length / (rows * columns), total: slices, level: level.level });
        },
        held.stop.signal,
      );
    } catch (error) {
      made.free();
      throw error;
    }
    held.voxels?.free();
    held.voxels = made;
    held.level = level.level;
    setLevel(facts.id, level.level);
    this.#changed();
  }
}
