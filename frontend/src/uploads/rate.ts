const WINDOW_MS = 4000;

/** Bytes a second over the last seconds. */
export class RateMeter {
  private points: { at_ms: number; bytes: number }[] = [];

  constructor(private readonly clock: () => number = () => performance.now()) {}

  reset(): void {
    this.points = [];
  }

  at(bytes: number): number {
    const now = this.clock();
    this.points.push({ at_ms: now, bytes });
    while (this.points.length > 2 && (this.points[0]?.at_ms ?? now) < now - WINDOW_MS) this.points.shift();
    const first = this.points[0];
    if (!first || now - first.at_ms < 200) return 0;
    return Math.max(0, ((bytes - first.bytes) * 1000) / (now - first.at_ms));
  }
}

/** How long the rest takes; null while nobody can say. */
export function timeLeft(left_bytes: number, bytes_per_s: number): number | null {
  return bytes_per_s > 0 ? left_bytes / bytes_per_s : null;
}
