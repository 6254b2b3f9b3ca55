/**
 * What the API under /api says and takes. The same shapes stand in /api/openapi.json; a test compares the two.
 *
 * DICOM attributes have their keyword as name ("PatientName": as in the object, "DOE^JANE=..."; dates "YYYYMMDD",
 * times "HHMMSS.FFFFFF", "" when empty). Everything else is snake_case with its unit in its name; times are seconds
 * since 1970 (UTC).
 */

/** RFC 9457: every error. `setting` names the field that was refused, where there is one. */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  setting?: string;
}

// --- who -------------------------------------------------------------------------------------

export type Role = "reader" | "operator" | "administrator";

/** GET /api/session; 401 when nobody is logged in. */
export interface Session {
  user: string;
  full_name: string;
  role: Role;
  /** "single-user": on this machine alone, without any user: everyone is the administrator. */
  mode: "login" | "single-user";
  is_encrypted: boolean;
  expires_s: number | null;
  version: string;
  ae_title: string;
  databases: string[];
}

/**
 * POST /api/session -> Session, and the cookie of it. 401: wrong name or password; 429 with Retry-After: too many wrong
 * ones. DELETE /api/session ends it (204).
 */
export interface Login {
  name: string;
  password: string;
}

/** PUT /api/session/password -> 204; ends all other sessions of the user. 403: the old password is wrong. */
export interface PasswordChange {
  old_password: string;
  new_password: string;
}

/** GET /api/users -> User[]; POST /api/users -> 201 User. The first user must be an administrator; login begins then. */
export interface NewUser {
  name: string;
  full_name?: string;
  role: Role;
  password: string;
}

/** PATCH /api/users/{name} -> User: what is there is changed. DELETE -> 204. 409 for the last administrator. */
export interface UserChange {
  full_name?: string;
  role?: Role;
  is_enabled?: boolean;
  password?: string;
}

export interface User {
  name: string;
  full_name: string;
  role: Role;
  is_enabled: boolean;
  created_s: number;
  last_login_s: number | null;
  /** Until then no password is looked at, after too many wrong ones. */
  locked_until_s: number | null;
}

/** GET /api/tokens -> Token[]: one's own; ?all=true: everybody's, for administrators. DELETE /api/tokens/{id} -> 204. */
export interface Token {
  id: string;
  name: string;
  user: string;
  role: Role;
  created_s: number;
  expires_s: number | null;
  last_used_s: number | null;
}

/** POST /api/tokens -> 201 NewToken. A role beyond one's own is refused. */
export interface TokenRequest {
  name: string;
  role: Role;
  /** Days until it ends; null: never. */
  days?: number | null;
}

/** The answer to POST /api/tokens: the secret is shown this once. */
export interface NewToken extends Token {
  secret: string;
}

export type Outcome = "done" | "refused" | "failed";

/** One line of the access log. Requests of one kind for one study within some minutes are one line with a count. */
export interface AuditEntry {
  id: number;
  time_s: number;
  last_s: number;
  user: string;
  address: string;
  /** "login", "logout", "search", "view", "download", "store", "delete", "send", "peer changed", ... */
  action: string;
  outcome: Outcome;
  study: string;
  /** What it was done to or with, for people: the name of a peer, a rule, a user; the words of a search. */
  subject: string;
  count: number;
  request: string;
}

/** GET /api/audit?user=&action=&outcome=&study=&from_s=&until_s=&before=(id)&limit= : the newest first. */
export interface AuditPage {
  entries: AuditEntry[];
  has_more: boolean;
}

// --- what is kept ----------------------------------------------------------------------------

export interface Study {
  StudyInstanceUID: string;
  PatientName: string;
  PatientID: string;
  IssuerOfPatientID: string;
  PatientBirthDate: string;
  PatientSex: string;
  StudyDate: string;
  StudyTime: string;
  StudyID: string;
  StudyDescription: string;
  AccessionNumber: string;
  ReferringPhysicianName: string;
  ModalitiesInStudy: string[];
  NumberOfStudyRelatedSeries: number;
  NumberOfStudyRelatedInstances: number;
  size_bytes: number;
  first_arrived_s: number;
  last_arrived_s: number;
  badges: Badge[];
}

/** What is going on with a study. */
export type Badge =
  /** Objects came within the last seconds. */
  | { kind: "arriving" }
  /** Sent, to each of these peers, by jobs that are still known. */
  | { kind: "sent"; peers: string[] }
  /** Will be deleted at `due_s`, by job `job`: cancel that to undo it. */
  | { kind: "leaving"; due_s: number; job: number }
  /** A session of the workstation was saved in it. */
  | { kind: "session" };

/**
 * GET /api/studies?q=&limit=&cursor=&sort=&order=&database=
 * sort: "date" (default, newest first), "name" (A first), "arrival" (last first); order: "asc" or "desc". A cursor
 * belongs to its sort and order; q is at most 500 characters and never an error.
 */
export interface StudyPage {
  studies: Study[];
  /** For the next page; null at the end. */
  next: string | null;
  /** How the words of `q` were understood, in order: what the page shows as chips. */
  understood: { text: string; meaning: string }[];
}

/** GET /api/studies/{study}/holding: nothing of a patient, and not in the access log; 0 when it is not here. */
export interface StudyHolding {
  instances: number;
}

export interface Series {
  SeriesInstanceUID: string;
  Modality: string;
  SeriesNumber: string;
  SeriesDescription: string;
  BodyPartExamined: string;
  SeriesDate: string;
  SeriesTime: string;
  FrameOfReferenceUID: string;
  NumberOfSeriesRelatedInstances: number;
  size_bytes: number;
  last_arrived_s: number;
  /** Relative address of a small picture; "" for what has no pixels. */
  thumbnail: string;
}

/** GET /api/studies/{study} */
export interface StudyDetail {
  study: Study;
  series: Series[];
}

export interface Instance {
  SOPInstanceUID: string;
  SOPClassUID: string;
  sop_class_name: string;
  InstanceNumber: string;
  TransferSyntaxUID: string;
  transfer_syntax_name: string;
  size_bytes: number;
  arrived_s: number;
  thumbnail: string;
}

/** GET /api/studies/{study}/series/{series} */
export interface InstancePage {
  instances: Instance[];
  next: string | null;
}

/** One line of GET /api/studies/{study}/series/{series}/instances/{instance}/attributes, in order, nested by depth. */
export interface Attribute {
  /** "(0010,0010)" */
  tag: string;
  keyword: string;
  name: string;
  vr: string;
  /** For people: several values joined by " \\ ", long or binary ones cut short and said to be. */
  value: string;
  depth: number;
  /** "1" for the first item of the sequence above, "1.2" within that, "" at the top. */
  item: string;
}

/** GET /api/studies/{study}/history */
export interface HistoryEntry {
  time_s: number;
  user: string;
  what: string;
  job: number | null;
}

/** POST /api/uploads (multipart/form-data, any number of parts "file"): what became of each file. */
export interface UploadResult {
  files: UploadedFile[];
  kept: number;
  duplicates: number;
  refused: number;
  ignored: number;
  studies: string[];
  /** About media in zip archives and disc images; their objects were taken all the same. */
  findings: { kind: string; count: number }[];
}

export interface UploadedFile {
  /** As the browser calls it; for a member of a zip "archive.zip/member". */
  name: string;
  /** "ignored": no DICOM object, such as DICOMDIR or a text. */
  state: "kept" | "duplicate" | "refused" | "ignored";
  reason: string;
  study: string;
}

/** Studies, series or instances: what send and delete take. */
export interface Selection {
  studies?: string[];
  series?: { study: string; series: string }[];
  instances?: { study: string; series: string; instance: string }[];
  database?: string;
}

/** POST /api/deletions (Selection): nothing is gone before due_s; POST /api/jobs/{id}/cancel takes it back. */
export interface Deletion {
  job: Job;
  due_s: number;
}

// --- jobs ------------------------------------------------------------------------------------

export type JobState = "queued" | "running" | "waiting" | "paused" | "done" | "failed" | "cancelled";
export type ItemState = "pending" | "sent" | "warned" | "failed";

/** How alike the images have become while they are registered: it falls. */
export interface Metric {
  /** "rigid, 4 mm, start 2 of 4" */
  stage: string;
  /** "mutual information, negated" */
  name: string;
  /** The newest at the end; they begin anew with each stage. */
  values: number[];
}

/** What can be watched of a job while it runs. */
export interface Live {
  metric: Metric | null;
}

export interface Job {
  id: number;
  /** "send", "retrieve", "delete", "commit", ... */
  kind: string;
  lane: string;
  title: string;
  peer: string;
  state: JobState;
  priority: number;
  attempt: number;
  retries: number;
  created_s: number;
  started_s: number | null;
  finished_s: number | null;
  next_attempt_s: number | null;
  /** Why it failed or waits and what to do, for people. */
  message: string;
  pending: number;
  sent: number;
  warned: number;
  failed: number;
  live?: Live | null;
  /** What can be done to it now. */
  actions: ("cancel" | "pause" | "resume" | "retry")[];
}

/** GET /api/jobs?state=running&state=waiting&kind=&peer=&before=&limit= */
export interface JobPage {
  jobs: Job[];
  has_more: boolean;
}

/** GET /api/jobs/totals */
export type JobTotals = Record<JobState, number>;

export interface JobItem {
  number: number;
  /** SOP Instance UID or other UID. */
  name: string;
  state: ItemState;
  /** The DIMSE status as "A700", and what it means; "" when there is none. */
  status: string;
  meaning: string;
  comment: string;
  changed_s: number;
}

/** GET /api/jobs/{id}/items?state=&after=&limit= */
export interface JobItemPage {
  items: JobItem[];
  has_more: boolean;
}

/** PUT /api/jobs/{id}/priority -> Job; 409 when it runs or has ended. */
export interface JobPriority {
  /** 1 goes first, 9 last. */
  priority: number;
}

/** POST /api/sends -> 202 Job */
export interface NewSend extends Selection {
  peer: string;
  priority?: number;
}

/** POST /api/anonymizations -> 202 Job: to a peer, or into another database of this node; 400 for neither or both. */
export interface NewAnonymization extends Selection {
  /** Options of the profile (PS3.15 section E.3), such as "shifted-dates". */
  options?: string[];
  /** Options that belong together: "pet", or "". */
  preset?: string;
  /** A project key of this node: the same key, the same pseudonyms. */
  key?: string;
  peer?: string | null;
  into?: string | null;
  priority?: number;
}

/** GET /api/preview-anonymization?study=&series=&instance=&database=&options=&preset=&key= : nothing is stored or sent. */
export interface AnonymizationPreview {
  elements: PreviewedElement[];
  /** Also why it would be refused; there are no elements then. */
  warnings: string[];
}

export interface PreviewedElement {
  /** Its keyword, behind those of the sequences that hold it. */
  element: string;
  tag: string;
  before: string;
  after: string;
  /** "kept", "removed", "emptied", "replaced" or "added". */
  became: string;
}

export type Level = "patient" | "study" | "series" | "instance";

/** POST /api/peers/{name}/query -> lines of JSON while they come: QueryLine. Closing the connection cancels. */
export interface PeerQuery {
  level: Level;
  /** Attribute keyword -> value to match, "" to be told only. */
  keys: Record<string, string>;
  limit?: number;
}

export type QueryLine =
  | { answer: Record<string, string> }
  | { end: { count: number; is_limited: boolean } }
  | { problem: Problem };

/** POST /api/retrievals -> 202 Job */
export interface NewRetrieval {
  peer: string;
  level: Level;
  /** Values of the level's unique key. */
  names: string[];
  /** Unique keys above the level. */
  above?: Record<string, string>;
  how?: "get" | "move";
  database?: string;
  priority?: number;
}

/**
 * GET /api/events (server-sent events). "hello" at the start and after a gap: read everything again.
 * "jobs": what changed since the last. "archive": something was stored or is gone. A comment line every 15 s.
 */
export interface JobsEvent {
  jobs: Job[];
  totals: JobTotals;
}

export interface ArchiveEvent {
  /** At most 50; more are told as an empty list: read again. */
  studies: string[];
  database: string;
}

// --- peers, rules, contexts -------------------------------------------------------------------

/**
 * GET /api/peers; PUT /api/peers/{name} makes or changes one, and renames it when the body has another name (PeerInfo);
 * DELETE /api/peers/{name}. 409 while an enabled rule or an unfinished job needs it.
 */
export interface Peer {
  name: string;
  ae_title: string;
  host: string;
  port: number;
  /** Its rights here. */
  may_store: boolean;
  may_query: boolean;
  may_retrieve: boolean;
  may_commit: boolean;
  /** What we do with it. */
  send: boolean;
  query: boolean;
  retrieve: boolean;
  commit: boolean;
  tls: boolean;
  tls_name: string;
  calling_ae_title: string;
  artim_s: number | null;
  connect_s: number | null;
  response_s: number | null;
  max_pdu_bytes: number | null;
  context_list: string;
  preferred_syntaxes: string[];
  lossy_syntax: string;
  lenient_statuses: boolean;
  retries: number | null;
  retry_delay_s: number;
  concurrency: number;
}

/** GET /api/peers: with what is known of each. */
export interface PeerInfo extends Peer {
  /** Rules that send to it. */
  rules: string[];
  jobs_unfinished: number;
  jobs_failed: number;
}

/** POST /api/peers/{name}/test, or POST /api/peers/test with a Peer that is not saved. Steps in order; the first failed is the last. */
export interface PeerTest {
  is_ok: boolean;
  steps: { name: "network" | "TLS" | "association" | "echo" | "contexts"; is_ok: boolean; text: string }[];
  /** "" or what to do. */
  cure: string;
  round_trip_ms: number | null;
}

export interface NamedUID {
  uid: string;
  name: string;
}

/**
 * GET /api/contexts; PUT /api/contexts/{name} {sop_classes, transfer_syntaxes: UIDs, keywords or NamedUIDs;
 * storage_negotiation}; DELETE removes an own one that no peer uses (else 409), or restores a built-in one.
 */
export interface ContextList {
  name: string;
  sop_classes: NamedUID[];
  transfer_syntaxes: NamedUID[];
  storage_negotiation: boolean;
  is_built_in: boolean;
  is_edited: boolean;
  used_by: string[];
}

/** GET /api/rules; PUT /api/rules/{name} {definition: toml}; PATCH {is_enabled}; DELETE. */
export interface Rule {
  name: string;
  is_enabled: boolean;
  active_since_s: number;
  /** The rule as TOML, as `radfuse rules add` takes it. */
  definition: string;
  /** One sentence. */
  summary: string;
  destinations: string[];
  forgets: boolean;
}

/** POST /api/rules/rehearse {definition}: what the rule would do to what is kept; nothing is done. */
export interface Rehearsal {
  matched_objects: number;
  examined_objects: number;
  examples: { study: string; text: string }[];
  notes: string[];
}

// --- this node -------------------------------------------------------------------------------

/** GET /api/databases */
export interface Database {
  name: string;
  ae_titles: string[];
  patients: number;
  studies: number;
  series: number;
  instances: number;
  size_bytes: number;
}

/** GET /api/settings; PUT /api/settings {changes: {key: value, or null for the default}}. */
export interface Setting {
  /** As in radfuse.toml: "limits.pdu_s" */
  key: string;
  section: string;
  value: string | number | boolean | string[] | Record<string, string>;
  default: string | number | boolean | string[] | Record<string, string>;
  /** Where its value comes from; what the environment sets cannot be changed here. */
  source: "default" | "file" | "environment";
  kind: "text" | "integer" | "number" | "flag" | "choice" | "list" | "map";
  choices: string[];
  description: string;
  /** Whether the running service still has another value. */
  needs_restart: boolean;
}

/**
 * GET /api/tls; POST /api/tls/init {names?, days?, renew?} makes the authority and the node's certificate (409 when there
 * is one, unless renew is true); POST /api/tls/peer-certificate {peer, names?, days?, renew?} -> application/zip with
 * peer-NAME.pem, peer-NAME.key (a secret) and ca.pem.
 */
export interface TlsStatus {
  is_offered: boolean;
  port: number;
  versions: string[];
  cipher_suites: string[];
  client_certificates: string;
  certificate: Certificate | null;
  authorities: string;
  /** "" or what is wrong or will soon be. */
  warning: string;
}

export interface Certificate {
  subject: string;
  issuer: string;
  names: string[];
  key: string;
  not_before_s: number;
  not_after_s: number;
  days_left: number;
  sha256: string;
}

/** GET /api/status */
export interface Status {
  version: string;
  ae_title: string;
  started_s: number;
  /** Sentences; empty when all is well. */
  troubles: string[];
  dicom_address: string;
  tls_address: string;
  http_address: string;
  databases: Database[];
  volume: { free_bytes: number; size_bytes: number; reserve_bytes: number };
  /** Objects and bytes that came in each of the last 24 hours, the oldest first. */
  arrivals: { hour_s: number; objects: number; size_bytes: number }[];
  jobs: JobTotals;
  worker_running: boolean;
  /** The version of OHIF that is installed; empty: none is. */
  ohif: string;
}

export interface RegistrationLink {
  /** Frame of Reference UIDs: the transform maps points of the fixed one to the moving one. */
  fixed: string;
  moving: string;
  is_deformable: boolean;
  /** Code Meaning, as the object has it. */
  method: string;
  /** The moving series that it holds for; null: all of the frame. */
  series: string[] | null;
}

/** GET /api/registrations?study= -> Registration[]: those in the study, or that join a frame of one of its series. */
export interface Registration {
  SOPInstanceUID: string;
  SOPClassUID: string;
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  FrameOfReferenceUID: string;
  ContentLabel: string;
  ContentDescription: string;
  ContentCreatorName: string;
  /** YYYYMMDDHHMMSS */
  made: string;
  equipment: string[];
  /** Empty: it cannot be used, and findings say why. */
  links: RegistrationLink[];
  /** Of the newest report card. */
  grade: "PASS" | "NOT JUDGED" | "CAUTION" | "FAIL";
  grade_reason: string;
  /** SOP Instance UID of the report card; "" for none. */
  report: string;
  findings: string[];
}

export interface PlacedSeries {
  SeriesInstanceUID: string;
  StudyInstanceUID: string;
  Modality: string;
  SeriesDescription: string;
  FrameOfReferenceUID: string;
}

export interface RegistrationStep {
  /** SOP Instance UID */
  registration: string;
  start: string;
  end: string;
  is_forward: boolean;
  is_deformable: boolean;
  grade: "PASS" | "NOT JUDGED" | "CAUTION" | "FAIL";
}

export interface RegistrationContradiction {
  difference_mm: number;
  sentence: string;
  steps: RegistrationStep[];
}

/**
 * GET /api/registrations/path?fixed=&moving=&allow_failed=&allow_other_patient=&only= ; fixed and moving are series.
 * Nothing is overlaid where is_registered is false.
 */
export interface RegistrationPath {
  is_registered: boolean;
  /** Why this path, or why there is none. */
  sentence: string;
  fixed: PlacedSeries;
  moving: PlacedSeries;
  /** The worst on the path; null where there is none. */
  grade: "PASS" | "NOT JUDGED" | "CAUTION" | "FAIL" | null;
  is_deformable: boolean;
  is_other_patient: boolean;
  /** None: both lie in the same frame of reference. */
  steps: RegistrationStep[];
  /** 16 numbers by rows, from points of the fixed frame to the moving one in mm; null where the path is deformable. */
  matrix: number[] | null;
  contradictions: RegistrationContradiction[];
  warnings: string[];
}

/** POST /api/registrations/points {fixed, moving, points, only?, allow_failed?, allow_other_patient?}; 409: no path. */
export interface CarriedPoints {
  /** In mm of the fixed frame, in the order they were sent; null: the registration says nothing of it. */
  points: ([x: number, y: number, z: number] | null)[];
  grade: "PASS" | "NOT JUDGED" | "CAUTION" | "FAIL";
  path: RegistrationPath;
  notes: string[];
}

/** POST /api/registrations/carry -> Job: the images of moving, or regions drawn on them; 409: no path. */
export interface NewCarrying {
  fixed: string;
  moving: string;
  /** UID of an RT Structure Set or Segmentation, or of its series; without: the images. */
  structures?: string;
  /** Names or numbers of regions; none: all. */
  names?: string[];
  form?: "contours" | "slices" | "seg";
  only?: string[];
  allow_failed?: boolean;
  allow_other_patient?: boolean;
  /** Which volume, from 1, where a series makes several. */
  fixed_stack?: number;
  moving_stack?: number;
  database?: string;
  priority?: number;
}
