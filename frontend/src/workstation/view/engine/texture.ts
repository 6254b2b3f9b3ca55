/** Voxels in the memory of the graphics card, two bytes each, filled slice by slice. */
import type { Grid } from "./grid";

export interface VoxelTexture {
  readonly texture: WebGLTexture;
  readonly grid: Grid;
  /** A texel times this is the voxel's value. */
  readonly factor: number;
  /** Put whole slices from `first` on. */
  fill: (first: number, voxels: Int16Array | Float32Array) => void;
  free: () => void;
}

const LARGEST_SHORT = 32767;

/** Of floats, the greatest magnitude becomes 1: half floats end at 65504, and PET in Bq/ml goes beyond. */
function factorOf(dtype: "int16" | "float32", range: readonly [number, number], hasShorts: boolean): number {
  if (dtype === "int16" && hasShorts) return LARGEST_SHORT;
  return Math.max(Math.abs(range[0]), Math.abs(range[1])) || 1;
}

export class NoRoom extends Error {}

/** Throws NoRoom where the card has none for it. */
export function makeTexture(
  gl: WebGL2RenderingContext,
  grid: Grid,
  dtype: "int16" | "float32",
  range: readonly [number, number],
): VoxelTexture {
  const norm16 = gl.getExtension("EXT_texture_norm16");
  const isShort = dtype === "int16" && norm16 !== null;
  const factor = factorOf(dtype, range, norm16 !== null);
  const [slices, rows, columns] = grid.shape;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_3D, texture);
  for (const [name, value] of [
    [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
    [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
    [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    [gl.TEXTURE_WRAP_R, gl.CLAMP_TO_EDGE],
  ] as const) {
    gl.texParameteri(gl.TEXTURE_3D, name, value);
  }
  gl.texStorage3D(gl.TEXTURE_3D, 1, isShort ? norm16.R16_SNORM_EXT : gl.R16F, columns, rows, slices);
  if (gl.getError() === gl.OUT_OF_MEMORY) {
    gl.deleteTexture(texture);
    throw new NoRoom("The graphics card has no room for these voxels.");
  }
  const scaled = isShort ? null : new Float32Array(rows * columns);

  const put = (slice: number, depth: number, type: number, voxels: ArrayBufferView) => {
    gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, slice, columns, rows, depth, gl.RED, type, voxels);
  };
  return {
    texture,
    grid,
    factor,
    fill: (first, voxels) => {
      const size = rows * columns;
      const depth = voxels.length / size;
      gl.bindTexture(gl.TEXTURE_3D, texture);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
      if (!scaled) {
        put(first, depth, gl.SHORT, voxels);
        return;
      }
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
      for (let slice = 0; slice < depth; slice++) {
        const start = slice * size;
        for (let pixel = 0; pixel < size; pixel++) {
          const value = voxels[start + pixel] ?? 0;
          // What is no number would spread over its neighbours.
          scaled[pixel] = (Number.isFinite(value) ? value : range[0]) / factor;
        }
        put(first + slice, 1, gl.FLOAT, scaled);
      }
    },
    free: () => { gl.deleteTexture(texture); },
  };
}
