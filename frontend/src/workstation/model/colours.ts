/** Colour maps, as radfuse.fusion has them: the server's pictures and the screen show the same colours. */

type Point = readonly [step: number, red: number, green: number, blue: number];

interface ColourMap {
  label: string;
  /** Straight lines between them, from step 0 to 255. */
  points: readonly Point[];
}

export const COLOUR_MAPS = {
  gray: { label: "Grey", points: [[0, 0, 0, 0], [255, 255, 255, 255]] },
  inverted: { label: "Inverted grey", points: [[0, 255, 255, 255], [255, 0, 0, 0]] },
  // PS3.6 section B.1.1
  "hot-iron": {
    label: "Hot iron",
    points: [[0, 0, 0, 0], [127, 254, 0, 0], [128, 255, 0, 0], [192, 255, 128, 0], [255, 255, 254, 252]],
  },
  fire: {
    label: "Fire",
    points: [[0, 0, 0, 0], [51, 0, 0, 160], [102, 180, 0, 160], [153, 255, 40, 0], [204, 255, 220, 0], [255, 255, 255, 255]],
  },
  spectrum: {
    label: "Spectrum",
    points: [[0, 0, 0, 255], [85, 0, 255, 255], [128, 0, 255, 0], [170, 255, 255, 0], [255, 255, 0, 0]],
  },
  red: { label: "Red", points: [[0, 0, 0, 0], [255, 255, 0, 0]] },
  green: { label: "Green", points: [[0, 0, 0, 0], [255, 0, 255, 0]] },
  blue: { label: "Blue", points: [[0, 0, 0, 0], [255, 0, 0, 255]] },
} as const satisfies Record<string, ColourMap>; // prettier-ignore

export type ColourName = keyof typeof COLOUR_MAPS;

const KNOWN: Record<string, ColourMap | undefined> = COLOUR_MAPS;

/** An unknown name is grey. */
export function colourMapOf(name: string): ColourMap {
  return KNOWN[name] ?? COLOUR_MAPS.gray;
}

const STEPS = 256;

/** 256 colours, red, green and blue one after the other, from the lowest value of the window to the highest. */
export function tableOf(name: string): Uint8Array {
  const table = new Uint8Array(3 * STEPS);
  const { points } = colourMapOf(name);
  for (let step = 0; step < STEPS; step++) {
    const after = Math.max(1, points.findIndex(([at]) => at >= step));
    const [low, high] = [points[after - 1], points[after]];
    if (!low || !high) continue;
    const share = (step - low[0]) / (high[0] - low[0]);
    for (const channel of [1, 2, 3] as const) {
      table[3 * step + channel - 1] = Math.round(low[channel] + share * (high[channel] - low[channel]));
    }
  }
  return table;
}

/** For a CSS background. */
export function gradientOf(name: string, toward = "right"): string {
  const stops = colourMapOf(name).points.map(
    ([at, red, green, blue]) => `rgb(${[red, green, blue].join(" ")}) ${((100 * at) / (STEPS - 1)).toFixed(1)}%`,
  );
  return `linear-gradient(to ${toward}, ${stops.join(", ")})`;
}
