/** The one way in which the console talks with the service: JSON, and problems that people can read. */
import type { Problem } from "./types";

export const API = "/api";

type Value = string | number | boolean | null | undefined;
/** Empty values are left out; a list is one parameter for each of its values. */
export type Query = Record<string, Value | readonly (string | number)[]>;

/** What the service, or the way to it, answered instead of a result. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }

  /** The HTTP status; 0 when there was no answer. */
  get status(): number {
    return this.problem.status;
  }
}

const UNREACHABLE: Problem = {
  title: "No answer",
  status: 0,
  detail: "Radfuse does not answer: it may be stopped, or the network is down. This page tries again by itself.",
};

/** What a person is told of anything that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { title: "Something went wrong in this page", status: 0, detail };
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

let onLoginNeeded: () => void = () => undefined;

/** Who is told when the service answers that nobody is logged in. */
export function setLoginNeeded(listener: () => void): void {
  onLoginNeeded = listener;
}

/** For requests made elsewhere (uploads, pictures): what a 401 means for the page. */
export function tellLoginNeeded(): void {
  onLoginNeeded();
}

export function withQuery(path: string, query?: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of Array.isArray(value) ? (value as readonly Value[]) : [value as Value]) {
      if (each !== undefined && each !== null && each !== "") parameters.append(name, String(each));
    }
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** The problem that a response tells of, whoever wrote it: a proxy in between answers in HTML. */
export function problemFrom(status: number, phrase: string, text: string): Problem {
  try {
    const said = JSON.parse(text) as Partial<Problem>;
    if (typeof said.detail === "string") {
      return { title: said.title ?? phrase, status, detail: said.detail, ...(said.setting && { setting: said.setting }) };
    }
  } catch {
    // No JSON: what follows says what can be said.
  }
  const detail = status >= 502 && status <= 504 ? UNREACHABLE.detail : `The service answered ${status} ${phrase}.`;
  return { title: phrase || "Error", status, detail };
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(API + path, { credentials: "same-origin", cache: "no-store", ...init });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new ApiError(UNREACHABLE);
  }
  if (response.ok) return response;
  // A wrong password is answered by 401 as well, and the page that asked for it says so itself.
  if (response.status === 401 && path !== "/session") onLoginNeeded();
  throw new ApiError(problemFrom(response.status, response.statusText, await response.text()));
}

async function result<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** GET. `path` is without "/api". Throws ApiError, or AbortError when `signal` says so. */
export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return result<T>(await ask(withQuery(path, query), { headers: { Accept: "application/json" }, signal }));
}

export type Method = "POST" | "PUT" | "PATCH" | "DELETE";

/** Change something. Throws as `get` does. */
export async function send<T = void>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return result<T>(await ask(path, { method, signal, ...withBody(body) }));
}

/** POST, and the objects of the answer as they come, one a line. Leaving the loop ends the request. */
export async function* lines<T>(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
  const response = await ask(path, { method: "POST", signal, ...withBody(body, "application/x-ndjson") });
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const complete = rest.split("\n");
      rest = done ? "" : (complete.pop() ?? "");
      for (const line of complete) if (line.trim()) yield JSON.parse(line) as T;
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function withBody(body: unknown, accept = "application/json"): RequestInit {
  const headers: Record<string, string> = { Accept: `${accept}, application/problem+json` };
  if (body === undefined) return { headers };
  return { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
}
