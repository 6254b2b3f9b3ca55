/** One context for all panes: each is drawn in it, and then copied to its own canvas. */
import type { Mode, Projection, Vector } from "../../../api/workstation";
import { NO_WEBGL } from "./card";
import { movedPlane, texturePlane, type PixelPlane } from "./grid";
import { FRAGMENT, KINDS, MODES, VERTEX } from "./shader";
import type { VoxelTexture } from "./texture";

export interface Layer {
  voxels: VoxelTexture;
  low: number;
  high: number;
  /** 256 colours, red green blue alpha. */
  colours: Uint8Array;
  /** 16 numbers, from points of the plane to those of the voxels, where they lie elsewhere; null: nowhere else. */
  moved?: readonly number[] | null;
}

export interface Scene {
  base: Layer | null;
  overlay: Layer | null;
  plane: PixelPlane;
  slab_mm: number;
  projection: Projection;
  mode: Mode;
  blend: number;
  /** Of a square of the checkerboard, in pixels. */
  tile: number;
  /** Centre and radius of the spyglass in pixels. */
  glass: Vector;
}

/** Pictures of these do not come from a graphics card, and take their time. */
const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

const STEPS = 256;

export class NoWebGL extends Error {}

function program(gl: WebGL2RenderingContext): WebGLProgram {
  const made = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new NoWebGL("The graphics context is lost.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new NoWebGL(gl.getProgramInfoLog(made) ?? "");
  return made;
}

export class Drawing {
  readonly gl: WebGL2RenderingContext;
  readonly #canvas: HTMLCanvasElement;
  #program: WebGLProgram;
  #places = new Map<string, WebGLUniformLocation | null>();
  #rows: [Uint8Array | null, Uint8Array | null] = [null, null];
  /** There is no graphics card. */
  readonly isSoftware: boolean;
  /** Along an edge. */
  readonly mostVoxels: number;

  /** Throws NoWebGL. */
  constructor(on: { lost: () => void; restored: () => void }) {
    this.#canvas = document.createElement("canvas");
    const gl = this.#canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false });
    if (!gl) throw new NoWebGL(NO_WEBGL);
    this.gl = gl;
    this.mostVoxels = Number(gl.getParameter(gl.MAX_3D_TEXTURE_SIZE));
    const told = gl.getExtension("WEBGL_debug_renderer_info");
    this.isSoftware = SOFTWARE.test(String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
    this.#program = this.#setUp();
    this.#canvas.addEventListener("webglcontextlost", (event) => {
      // Without this the browser never gives it back.
      event.preventDefault();
      on.lost();
    });
    this.#canvas.addEventListener("webglcontextrestored", () => {
      this.#program = this.#setUp();
      on.restored();
    });
  }

  get isLost(): boolean {
    return this.gl.isContextLost();
  }

  /** All that a new context needs; the card may have been reset. */
  #setUp(): WebGLProgram {
    const { gl } = this;
    const made = program(gl);
    this.#program = made;
    this.#places = new Map();
    this.#rows = [null, null];
    gl.useProgram(made);
    gl.bindVertexArray(gl.createVertexArray());
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, STEPS, 2);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.uniform1i(this.#at("baseVoxels"), 0);
    gl.uniform1i(this.#at("overVoxels"), 1);
    gl.uniform1i(this.#at("colours"), 2);
    // Uploads bind to a unit that no pane draws from.
    gl.activeTexture(gl.TEXTURE3);
    return made;
  }

  /** Draw a picture of `width` x `height` pixels over the whole of a canvas. */
  draw(target: HTMLCanvasElement, scene: Scene, width: number, height: number): void {
    const { gl } = this;
    // Growing only: each change of size is a new buffer.
    if (this.#canvas.width < width || this.#canvas.height < height) {
      this.#canvas.width = Math.max(this.#canvas.width, width);
      this.#canvas.height = Math.max(this.#canvas.height, height);
    }
    gl.viewport(0, 0, width, height);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(0, 0, width, height);
    this.#layer("base", 0, scene.base, scene);
    this.#layer("over", 1, scene.overlay, scene);
    gl.uniform1i(this.#at("kind"), KINDS[scene.projection]);
    gl.uniform1i(this.#at("mode"), MODES[modeOf(scene)]);
    gl.uniform1f(this.#at("blend"), scene.blend);
    gl.uniform1f(this.#at("tile"), scene.tile);
    gl.uniform1f(this.#at("height"), height);
    gl.uniform3f(this.#at("glass"), ...scene.glass);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.activeTexture(gl.TEXTURE3);
    const top = this.#canvas.height - height;
    target.getContext("2d", { alpha: false })?.drawImage(this.#canvas, 0, top, width, height, 0, 0, target.width, target.height);
  }

  /** Draw one pixel of it: drivers keep what was uploaded a second time until a texture is drawn from. */
  settle({ texture }: VoxelTexture): void {
    const { gl } = this;
    gl.viewport(0, 0, 1, 1);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(0, 0, 1, 1);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, texture);
    gl.uniform1i(this.#at("baseCount"), 1);
    gl.uniform1i(this.#at("overCount"), 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.activeTexture(gl.TEXTURE3);
    gl.flush();
  }

  #at(name: string): WebGLUniformLocation | null {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.gl.getUniformLocation(this.#program, name);
    this.#places.set(name, place);
    return place;
  }

  #layer(name: "base" | "over", unit: 0 | 1, layer: Layer | null, scene: Scene): void {
    const { gl } = this;
    gl.activeTexture(unit === 0 ? gl.TEXTURE0 : gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, layer?.voxels.texture ?? null);
    gl.uniform1i(this.#at(`${name}Count`), 0);
    if (!layer) return;
    const { plane, count } = texturePlane(layer.voxels.grid, movedPlane(scene.plane, layer.moved), scene.projection === "thin" ? 0 : scene.slab_mm);
    const width = layer.high - layer.low || 1;
    gl.uniform3fv(this.#at(`${name}Plane`), plane);
    gl.uniform1i(this.#at(`${name}Count`), count);
    gl.uniform2f(this.#at(`${name}Share`), layer.voxels.factor / width, -layer.low / width);
    if (this.#rows[unit] === layer.colours) return;
    this.#rows[unit] = layer.colours;
    gl.activeTexture(gl.TEXTURE2);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, unit, STEPS, 1, gl.RGBA, gl.UNSIGNED_BYTE, layer.colours);
  }
}

/** What is not there is not mixed in. */
function modeOf({ base, overlay, mode }: Scene): Mode {
  if (!overlay) return "base";
  return base ? mode : "overlay";
}
