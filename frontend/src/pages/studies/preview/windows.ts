/** Windows of grey values (PS3.3 section C.11.2): those people know by name, and changing them. */

export interface Window {
  center: number;
  width: number;
}

export interface Preset {
  name: string;
  /** Null is what the object itself asks for. */
  window: Window | null;
}

const AS_STORED: Preset = { name: "As stored", window: null };

/** Hounsfield units. */
const CT: readonly Preset[] = [
  AS_STORED,
  { name: "Soft tissue", window: { center: 40, width: 400 } },
  { name: "Lung", window: { center: -600, width: 1500 } },
  { name: "Bone", window: { center: 400, width: 1800 } },
  { name: "Brain", window: { center: 40, width: 80 } },
  { name: "Liver", window: { center: 90, width: 150 } },
];

export function presetsOf(modality: string): readonly Preset[] {
  return modality === "CT" ? CT : [AS_STORED];
}

/**
 * The window after a drag, as at any workstation: to the right is wider, down is darker (a higher centre). The wider
 * it is, the more a pixel changes.
 */
export function dragged(from: Window, right_px: number, down_px: number): Window {
  const step = Math.max(from.width / 300, 0.01);
  return {
    center: rounded(from.center + down_px * step),
    width: rounded(Math.max(from.width + right_px * step, 1)),
  };
}

function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}

export function formatWindow({ center, width }: Window): string {
  return `C ${String(rounded(center))}  W ${String(rounded(width))}`;
}

/** As an object says it: the first of perhaps several values. */
export function windowOf(center: string, width: string): Window | null {
  const [at, wide] = [center, width].map((text) => Number.parseFloat(text.split("\\")[0] ?? ""));
  return at !== undefined && wide !== undefined && Number.isFinite(at) && wide > 0 ? { center: at, width: wide } : null;
}
