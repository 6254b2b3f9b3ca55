/**
 * The picture of a plane through one or two volumes, pixel by pixel, as `radfuse.fusion` makes it on the service:
 * linear between voxel centres, the value of the outermost centres up to the edge, 256 equal steps of a window.
 */

export const VERTEX = `#version 300 es
void main() {
  // One triangle that covers all of it.
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

/** As `mode` and `kind` of the shader. */
export const MODES = { blend: 0, checkerboard: 1, spyglass: 2, difference: 3, base: 4, overlay: 5 } as const;
export const KINDS = { thin: 0, mip: 0, minip: 1, mean: 2 } as const;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler3D;

uniform sampler3D baseVoxels, overVoxels;
uniform sampler2D colours;
// Texture coordinates: of the upper left pixel in the first layer, from column to column, row to row, layer to layer.
uniform vec3 basePlane[4], overPlane[4];
// What makes a share of the window of a texel: a factor and a summand.
uniform vec2 baseShare, overShare;
uniform int baseCount, overCount;
uniform int kind, mode;
uniform float blend, tile, height;
// Centre and radius of the spyglass, in pixels.
uniform vec3 glass;
out vec4 colour;

bool sampled(sampler3D voxels, vec3 plane[4], vec2 pixel, int count, out float result) {
  int found = 0;
  vec3 at = plane[0] + pixel.x * plane[1] + pixel.y * plane[2];
  if (count == 1) {
    result = textureLod(voxels, at, 0.0).r;
    return all(equal(at, clamp(at, 0.0, 1.0)));
  }
  for (int layer = 0; layer < count; layer++) {
    if (all(greaterThanEqual(at, vec3(0.0))) && all(lessThan(at, vec3(1.0)))) {
      float value = textureLod(voxels, at, 0.0).r;
      if (found == 0) result = value;
      else if (kind == 0) result = max(result, value);
      else if (kind == 1) result = min(result, value);
      else result += value;
      found++;
    }
    at += plane[3];
  }
  if (kind == 2 && found > 1) result /= float(found);
  return found > 0;
}

vec4 coloured(float share, int row) {
  return texelFetch(colours, ivec2(int(clamp(floor(share * 256.0), 0.0, 255.0)), row), 0);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x - 0.5, height - gl_FragCoord.y - 0.5);
  bool wantsBase = mode != 5;
  bool wantsOver = mode != 4;
  if (mode == 1) {
    ivec2 square = ivec2(floor(pixel / tile));
    wantsBase = (square.x + square.y) % 2 == 0;
    wantsOver = !wantsBase;
  } else if (mode == 2) {
    wantsOver = distance(pixel, glass.xy) < glass.z;
    wantsBase = !wantsOver;
  }
  float base = 0.0;
  float over = 0.0;
  bool inBase = wantsBase && sampled(baseVoxels, basePlane, pixel, baseCount, base);
  bool inOver = wantsOver && sampled(overVoxels, overPlane, pixel, overCount, over);
  float baseStep = base * baseShare.x + baseShare.y;
  float overStep = over * overShare.x + overShare.y;
  vec3 mixed = vec3(0.0);
  if (mode == 3) {
    // Equal values are the grey in the middle.
    if (inBase && inOver) mixed = vec3(clamp(floor((0.5 + baseStep - overStep) * 256.0), 0.0, 255.0) / 255.0);
  } else {
    vec3 below = inBase ? coloured(baseStep, 0).rgb : vec3(0.0);
    vec4 above = inOver ? coloured(overStep, 1) : vec4(0.0);
    // A colour without alpha covers nothing: doses that are not looked at.
    float part = inOver ? (inBase ? blend : 1.0) * above.a : 0.0;
    mixed = below * (1.0 - part) + above.rgb * part;
  }
  colour = vec4(mixed, 1.0);
}`;
