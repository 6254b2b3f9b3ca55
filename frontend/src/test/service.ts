/** A service that answers from a table: "GET /api/rules" -> what it answers, or a problem. */
import { vi } from "vitest";

import type { Problem } from "../api/types";

export interface Asked {
  route: string;
  body: unknown;
}

/** Refuse with this. */
export class Refusal {
  constructor(readonly problem: Problem) {}
}

type Answer = unknown;
type Answers = Record<string, Answer | ((body: unknown) => Answer)>;

/** Answers until the test ends, and tells what was asked. */
export function serviceWith(answers: Answers): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", (address: string, init: RequestInit = {}) => {
    const route = `${init.method ?? "GET"} ${address}`;
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    asked.push({ route, body });
    const found = answers[route] ?? answers[route.replace(/\?.*/, "")];
    const answer: unknown = typeof found === "function" ? (found as (body: unknown) => unknown)(body) : found;
    return Promise.resolve(responseOf(answer, route));
  });
  return asked;
}

function responseOf(answer: unknown, route: string): Response {
  if (answer === undefined) return problem({ title: "Not Found", status: 404, detail: `the test has no answer to ${route}` });
  if (answer instanceof Refusal) return problem(answer.problem);
  return new Response(JSON.stringify(answer), { status: 200, headers: { "Content-Type": "application/json" } });
}

function problem(told: Problem): Response {
  return new Response(JSON.stringify(told), { status: told.status, headers: { "Content-Type": "application/problem+json" } });
}
