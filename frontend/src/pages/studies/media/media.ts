/** What is offered of media, and what is said of a plan and of a job that writes one. */
import type { MediaPlan, MediaProfile } from "../../../api/media";
import type { Job } from "../../../api/types";
import { capitalized, formatBytes, formatCounted } from "../../../ui";
import { shareOf } from "../../jobs/words";

/** What people burn and carry today, the smallest first; where all of it fits is offered. */
const USUAL = ["STD-GEN-CD", "STD-GEN-DVD-JPEG", "STD-GEN-BD", "STD-GEN-USB-JPEG"];

/** Directory, texts and whole sectors take a little more than the objects. */
const OVERHEAD = 1.02;

function holds({ capacity_bytes }: MediaProfile, size_bytes: number): boolean {
  return capacity_bytes === null || size_bytes * OVERHEAD <= capacity_bytes;
}

/** The one that was taken last, where it has room; else the smallest usual medium that has. */
export function usualProfile(profiles: readonly MediaProfile[], size_bytes: number, last = ""): MediaProfile | undefined {
  const named = (name: string) => profiles.find((each) => each.name === name);
  const before = named(last);
  if (before && holds(before, size_bytes)) return before;
  const usual = USUAL.map(named).filter((each) => each !== undefined);
  return usual.find((each) => holds(each, size_bytes)) ?? usual.at(-1) ?? profiles[0];
}

/** "CD": what stands before the comma. */
export function mediumOf(profile: MediaProfile): string {
  return profile.title.split(",")[0] ?? profile.title;
}

/** "uncompressed": what stands behind it. */
export function kindOf(profile: MediaProfile): string {
  return capitalized(profile.title.split(",").slice(1).join(",").trim()) || profile.title;
}

const ORDER = ["CD", "DVD", "Blu-ray disc", "USB stick"];

/** The profiles by medium, the usual media first. */
export function profileGroups(profiles: readonly MediaProfile[]): { group: string; items: { value: string; label: string }[] }[] {
  const media = [...new Set([...ORDER, ...profiles.map(mediumOf)])];
  return media
    .map((group) => ({
      group,
      items: profiles.filter((each) => mediumOf(each) === group).map(({ name, title }) => ({ value: name, label: title })),
    }))
    .filter(({ items }) => items.length > 0);
}

const GB = 1_000_000_000;
/** Of media whose sizes differ. */
const SIZES = [2, 4, 8, 16, 32, 64, 128];

/** "" is the profile's own: a usual medium, or one that is as large as needed. */
export function sizeOptions(profile: MediaProfile): { value: string; label: string }[] {
  if (profile.sizes.length === 0) {
    return [{ value: "", label: "As large as needed" }, ...SIZES.map((size) => ({ value: String(size * GB), label: `${String(size)} GB` }))];
  }
  return profile.sizes.map(({ name, size_bytes }) => ({
    value: size_bytes === profile.capacity_bytes ? "" : String(size_bytes),
    label: `${name} (${formatBytes(size_bytes)})`,
  }));
}

/** "2 CDs, 412 objects, about 801 MB" */
export function planWords(plan: MediaPlan, profile: MediaProfile): string {
  const medium = mediumOf(profile);
  return [
    formatCounted(plan.volumes.length, medium, `${medium}s`),
    formatCounted(plan.objects, "object"),
    `${plan.conversions.length > 0 ? "about " : ""}${formatBytes(plan.size_bytes)}`,
  ].join(", ");
}

/** "40 objects: JPEG 2000 → Explicit VR Little Endian" */
export function conversionWords({ objects, from_syntax, to_syntax }: MediaPlan["conversions"][number]): string {
  return `${formatCounted(objects, "object")}: ${from_syntax} → ${to_syntax}`;
}

export interface Pace {
  bytes_per_s: number;
  left_s: number;
}

/** Before so much is done nobody can say how long the rest takes. */
const SURE_SHARE = 0.15;
const SURE_S = 1.5;

/** How fast a job goes that writes so many bytes; null while nobody can say. */
export function paceOf(job: Job, size_bytes: number, now_s: number): Pace | null {
  const share = shareOf(job);
  const took_s = job.started_s === null ? 0 : now_s - job.started_s;
  if (job.state !== "running" || share === null || share < SURE_SHARE || took_s < SURE_S) return null;
  return { bytes_per_s: (share * size_bytes) / took_s, left_s: (took_s * (1 - share)) / share };
}
