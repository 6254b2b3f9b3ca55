/** Registering the overlay onto the base: what was chosen, how far it is, and what is proposed. */
import { create } from "zustand";

import type { Box, LandmarkAnswer, PointPair, RegistrationProposal, Sphere } from "../../api/registering";
import type { Job } from "../../api/types";
import type { Vector, VolumeFacts } from "../../api/workstation";
import type { Six } from "./hand";

/** "click": from about the same place in both; "none": from nothing; "kept": from how it lies now. */
export type Method = "click" | "none" | "kept" | "landmarks" | "manual";
export type Kind = "rigid" | "affine" | "deformable";
/** What of the base is compared. */
export type Part = "all" | "ball" | "box";

export interface Registering {
  isOpen: boolean;
  method: Method;
  kind: Kind;
  /** Pairs that are complete. */
  pairs: PointPair[];
  /** One of a pair, before the other one was clicked. */
  half: { fixed: Vector | null; moving: Vector | null };
  fit: LandmarkAnswer | null;
  part: Part;
  /** null: all, or not drawn yet. */
  region: Sphere | Box | null;
  hand: Six | null;
  /** As it lay over the base before, where it did. */
  onBase: VolumeFacts | null;
  /** Both lie in one frame of reference, and it is meant all the same. */
  isSameFrameMeant: boolean;
  job: Job | null;
  proposal: RegistrationProposal | null;
  isBefore: boolean;
  /** Why it did not work, and what to do. */
  problem: string;
}

export const NOT_REGISTERING: Registering = {
  isOpen: false,
  method: "click",
  kind: "rigid",
  pairs: [],
  half: { fixed: null, moving: null },
  fit: null,
  part: "all",
  region: null,
  hand: null,
  onBase: null,
  isSameFrameMeant: false,
  job: null,
  proposal: null,
  isBefore: false,
  problem: "",
};

export const useRegistering = create<Registering>()(() => NOT_REGISTERING);

export const ENDED: readonly Job["state"][] = ["done", "failed", "cancelled"];

export function isRunning({ job }: Pick<Registering, "job">): boolean {
  return job !== null && !ENDED.includes(job.state);
}
