/** One drawing context, the shown volumes, and the panes that are drawn anew when what they show has changed. */
import { useWorkspace } from "../../model/store";
import type { VolumeFacts } from "../../../api/workstation";
import { LOST, useCard } from "./card";
import { Drawing, NoWebGL, type Scene } from "./drawing";
import type { VoxelTexture } from "./texture";
import { Volumes } from "./volumes";

/** A pane, as the engine knows it. */
export interface Drawn {
  canvas: HTMLCanvasElement;
  /** In CSS pixels. */
  room: { width: number; height: number };
  /** What to draw now in `columns` x `rows` pixels, and a key that is the same as long as that is; null: nothing. */
  look: (columns: number, rows: number) => { scene: Scene; key: string } | null;
}

interface Registered extends Drawn {
  key: string;
  isDirty: boolean;
  isFilled: boolean;
  isCoarse: boolean;
}

/** Without a graphics card: how long the pictures of one movement may take together, and when they are sharpened. */
const MOVING_MS = 40;
const REST_MS = 160;
const FIRST_MS_PER_PIXEL = 2e-4;
const COARSEST = 0.3;
const MOST_DENSE = 2;
const LEFT_MS = 1500;
/** In the browser's timeline, for whoever measures. */
const FIRST_PICTURE = "radfuse first picture";

class Engine {
  readonly drawing = new Drawing({
    lost: () => {
      useCard.setState({ refusal: LOST });
      this.#volumes.free();
      // A picture that stands still while its marks move on would be wrong.
      this.touchAll();
    },
    restored: () => {
      useCard.setState({ refusal: "" });
      this.#volumes.look();
      this.touchAll();
    },
  });
  readonly #volumes = new Volumes(this.drawing, () => { this.touchAll(); });
  readonly #panes = new Set<Registered>();
  #frame = 0;
  #rest = 0;
  #ms_per_pixel = FIRST_MS_PER_PIXEL;
  #hasDrawn = false;
  #stop: (() => void) | null = null;

  start(): void {
    if (this.#stop || this.drawing.isLost) return;
    this.#hasDrawn = false;
    this.#stop = useWorkspace.subscribe((now, before) => {
      if (now.facts !== before.facts) this.#volumes.look();
    });
    this.#volumes.look();
  }

  /** The workstation was left: nothing of it stays on the card. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
    this.#volumes.free();
  }

  voxels(facts: VolumeFacts): VoxelTexture | null {
    return this.#volumes.of(facts);
  }

  /** Take a pane in. The answers: what to call when it may have changed, and when it is gone. */
  add(drawn: Drawn): { touch: () => void; remove: () => void } {
    const pane: Registered = { ...drawn, key: "", isDirty: true, isFilled: false, isCoarse: false };
    const dense = this.drawing.isSoftware ? 1 : Math.min(MOST_DENSE, window.devicePixelRatio || 1);
    drawn.canvas.width = Math.round(drawn.room.width * dense);
    drawn.canvas.height = Math.round(drawn.room.height * dense);
    this.#panes.add(pane);
    this.start();
    this.#plan();
    return {
      touch: () => {
        pane.isDirty = true;
        this.#plan();
      },
      remove: () => {
        this.#panes.delete(pane);
        this.#leaveLater();
      },
    };
  }

  /** Another layout has other panes, at once; without any for a while the workstation was left. */
  #leaveLater(): void {
    window.setTimeout(() => {
      if (this.#panes.size === 0) this.stop();
    }, LEFT_MS);
  }

  touchAll(): void {
    for (const pane of this.#panes) {
      pane.isDirty = true;
      pane.key = "";
    }
    this.#plan();
  }

  #plan(): void {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => { this.#draw(); });
  }

  #draw(): void {
    this.#frame = 0;
    const changed = [...this.#panes].filter((pane) => {
      if (!pane.isDirty) return false;
      pane.isDirty = false;
      const now = pane.look(pane.canvas.width, pane.canvas.height);
      const isChanged = now !== null && now.key !== pane.key;
      // What has nothing to show any more shows nothing: never the picture of something else.
      if (!now) blank(pane);
      return isChanged;
    });
    if (!changed.length) return;
    this.#paint(changed, this.#share(changed));
    if (changed.some((pane) => pane.isCoarse)) this.#sharpenLater();
  }

  /** How much of the width and height is drawn while something moves. */
  #share(panes: readonly Registered[]): number {
    if (!this.drawing.isSoftware) return 1;
    const pixels = panes.reduce((sum, { canvas }) => sum + canvas.width * canvas.height, 0);
    const share = Math.sqrt(MOVING_MS / Math.max(1e-6, pixels * this.#ms_per_pixel));
    return Math.max(COARSEST, Math.min(1, share));
  }

  #paint(panes: readonly Registered[], share: number): void {
    const start = performance.now();
    let pixels = 0;
    for (const pane of panes) {
      const columns = Math.max(1, Math.round(pane.canvas.width * share));
      const rows = Math.max(1, Math.round(pane.canvas.height * share));
      const now = pane.look(columns, rows);
      if (!now) continue;
      if (!this.#hasDrawn) performance.mark(FIRST_PICTURE);
      this.#hasDrawn = true;
      pane.key = now.key;
      pane.isFilled = true;
      pane.isCoarse = share < 1;
      pane.canvas.toggleAttribute("data-coarse", pane.isCoarse);
      this.drawing.draw(pane.canvas, now.scene, columns, rows);
      pixels += columns * rows;
    }
    if (!this.drawing.isSoftware || !pixels) return;
    // Copying onto the pane's canvas has waited for it.
    const found = (performance.now() - start) / pixels;
    this.#ms_per_pixel = 0.7 * this.#ms_per_pixel + 0.3 * found;
  }

  #sharpenLater(): void {
    window.clearTimeout(this.#rest);
    this.#rest = window.setTimeout(() => {
      const coarse = [...this.#panes].filter((pane) => pane.isCoarse);
      // One after the other: the next movement need not wait for all of them.
      const [first] = coarse;
      if (!first) return;
      requestAnimationFrame(() => {
        if (first.isCoarse && !first.isDirty) this.#paint([first], 1);
        if (coarse.length > 1) this.#sharpenLater();
      });
    }, REST_MS);
  }
}

function blank(pane: Registered): void {
  pane.key = "";
  pane.isCoarse = false;
  if (!pane.isFilled) return;
  pane.isFilled = false;
  pane.canvas.getContext("2d", { alpha: false })?.clearRect(0, 0, pane.canvas.width, pane.canvas.height);
}

let engine: Engine | null = null;

/** The one engine of the page; null where the browser cannot draw, which `useCard` says then. */
export function theEngine(): Engine | null {
  try {
    engine ??= new Engine();
  } catch (error) {
    if (!(error instanceof NoWebGL)) throw error;
    useCard.setState({ refusal: error.message });
  }
  return engine;
}

/** Read and draw from now on; the answer ends it and frees the card. Panes do so by themselves. */
export function startEngine(): () => void {
  const started = theEngine();
  started?.start();
  return () => { started?.stop(); };
}
