/** Registering: jobs that propose, their report cards, and fits of landmarks. The same shapes stand in /api/openapi.json. */
import { API, get, send, withQuery } from "./client";
import type { Job } from "./types";
import type { Vector } from "./workstation";

/** Points in mm of the two frames of reference. */
export interface PointPair {
  fixed: Vector;
  moving: Vector;
  name?: string;
}

/** A part of the fixed images: a sphere, or a box along their columns, rows and slices. */
export interface Part {
  centre: Vector;
  radius_mm?: number;
  size_mm?: Vector;
}

export type Sphere = Required<Omit<Part, "size_mm">>;
export type Box = Required<Omit<Part, "radius_mm">>;

/** The moving images turned about the middle of their volume (degrees about x, then y, then z), then shifted. */
export interface Hand {
  shift_mm?: Vector;
  turn_degrees?: Vector;
}

export interface NewRegistration {
  fixed: string;
  moving: string;
  kind?: "rigid" | "affine" | "deformable" | "landmarks" | "manual";
  clicks?: PointPair[];
  landmarks?: PointPair[];
  manual?: Hand | null;
  region?: Sphere | Box | null;
  from_path?: boolean;
  check_back?: boolean;
  /** Nothing is kept: a person accepts what comes of it, or not. */
  propose?: boolean;
  allow_other_patient?: boolean;
  allow_same_frame?: boolean;
  database?: string;
  priority?: number;
}

export interface ProposalCheck {
  quantity: string;
  subject: string;
  value: number;
  before: number | null;
  unit: string;
  grade: string;
  passes: number | null;
  fails: number | null;
  limit_from: string;
}

export interface ProposalPicture {
  kind: string;
  view: string;
}

/** GET /api/registrations/proposals/{job} */
export interface RegistrationProposal {
  job: number;
  fixed: string;
  moving: string;
  kind: string;
  method: string;
  grade: "PASS" | "NOT JUDGED" | "CAUTION" | "FAIL";
  reason: string;
  checks: ProposalCheck[];
  concerns: string[];
  notes: string[];
  parameters: Record<string, string>;
  fell_back: string;
  /** 16 numbers, row by row, from fixed to moving points; null of a deformation. */
  matrix: number[] | null;
  /** Where it began; null: nowhere. */
  before: number[] | null;
  pictures: ProposalPicture[];
  made_s: number;
  registration: string;
  accepted_by: string;
  accepted_s: number | null;
}

export interface LandmarkAsk {
  pairs: PointPair[];
  kind?: "translation" | "rigid" | "similarity" | "affine";
}

export interface LandmarkAnswer {
  matrix: number[];
  residuals_mm: number[];
  left_out_mm: (number | null)[];
  rms_mm: number;
  expected_error_mm: number | null;
  worst: number;
}

const one = (job: number, rest = "") => `/registrations/proposals/${String(job)}${rest}`;

export function submitRegistration(wanted: NewRegistration): Promise<Job> {
  // The default database has no name in the page.
  const { database, ...rest } = wanted;
  return send("POST", "/registrations", database ? { ...rest, database } : rest);
}

export function readProposal(job: number, database: string): Promise<RegistrationProposal> {
  return get(one(job), { database });
}

export function proposalPicture(job: number, picture: number, database: string): string {
  return API + withQuery(one(job, `/pictures/${String(picture)}`), { database });
}

export function acceptProposal(job: number, allow_failed: boolean, database: string): Promise<RegistrationProposal> {
  return send("POST", withQuery(one(job, "/accept"), { database }), { allow_failed });
}

export function discardProposal(job: number, database: string): Promise<void> {
  return send("DELETE", withQuery(one(job), { database }));
}

export function fitLandmarks(ask: LandmarkAsk, signal?: AbortSignal): Promise<LandmarkAnswer> {
  return send("POST", "/registrations/landmarks", ask, signal);
}

export function readJob(job: number): Promise<Job> {
  return get(`/jobs/${String(job)}`);
}
