import { afterEach, describe, expect, it, vi } from "vitest";

import { ApiError, get, lines, problemFrom, problemOf, send, setLoginNeeded, withQuery } from "./client";

function answering(body: string | ReadableStream<Uint8Array> | null, init: ResponseInit = {}) {
  return vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response(body, init)));
}

function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      chunks.forEach((chunk) => {
        controller.enqueue(encoder.encode(chunk));
      });
      controller.close();
    },
  });
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  return promise.then(
    () => expect.fail("nothing was thrown"),
    (error: unknown) => error as ApiError,
  );
}

afterEach(() => {
  setLoginNeeded(() => undefined);
});

describe("withQuery", () => {
  it("leaves out what is empty and repeats lists", () => {
    expect(withQuery("/jobs", { state: ["running", "failed"], peer: "", before: undefined, limit: 5 })).toBe(
      "/jobs?state=running&state=failed&limit=5",
    );
    expect(withQuery("/jobs", {})).toBe("/jobs");
    expect(withQuery("/studies", { q: "O'Neil & söhne=?" })).toBe("/studies?q=O%27Neil+%26+s%C3%B6hne%3D%3F");
  });
});

describe("get and send", () => {
  it("ask below /api and read JSON", async () => {
    const fetched = answering('{"name":"PACS1"}');
    expect(await get<{ name: string }>("/peers/PACS1")).toEqual({ name: "PACS1" });
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/peers/PACS1");
  });

  it("send a body as JSON, and none without", async () => {
    const fetched = answering(null, { status: 204 });
    expect(await send("PUT", "/peers/A", { port: 104 })).toBeUndefined();
    expect(fetched.mock.calls[0]?.[1]?.body).toBe('{"port":104}');
    await send("DELETE", "/peers/A");
    expect(fetched.mock.calls[1]?.[1]?.body).toBeUndefined();
  });

  it("throw the problem that the service tells of", async () => {
    answering('{"title":"Bad Request","status":400,"detail":"the port is none","setting":"port"}', { status: 400 });
    const error = await failure(send("PUT", "/peers/A", {}));
    expect(error).toBeInstanceOf(ApiError);
    expect(error.problem).toEqual({ title: "Bad Request", status: 400, detail: "the port is none", setting: "port" });
    expect(error.message).toBe("the port is none");
  });

  it("say that the service does not answer", async () => {
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("Failed to fetch"));
    const error = await failure(get("/jobs"));
    expect([error.status, error.problem.title]).toEqual([0, "No answer"]);
  });

  it("let an aborted request be aborted", async () => {
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new DOMException("", "AbortError"));
    expect((await failure(get("/jobs"))).name).toBe("AbortError");
  });

  it("tell that a login is needed, but not for a wrong password", async () => {
    const told = vi.fn();
    setLoginNeeded(told);
    answering('{"detail":"log in"}', { status: 401 });
    await failure(send("POST", "/session", {}));
    expect(told).not.toHaveBeenCalled();
    await failure(get("/jobs"));
    expect(told).toHaveBeenCalledOnce();
  });
});

describe("problemFrom", () => {
  it("makes a sentence of a proxy's page", () => {
    expect(problemFrom(502, "Bad Gateway", "<html>").detail).toContain("does not answer");
    expect(problemFrom(418, "I'm a teapot", "<html>").detail).toBe("The service answered 418 I'm a teapot.");
  });

  it("makes a problem of anything that was thrown", () => {
    expect(problemOf(new Error("odd")).detail).toBe("odd");
    expect(problemOf("odd").detail).toBe("odd");
  });
});

describe("lines", () => {
  it("gives objects as they come, wherever the chunks are cut", async () => {
    answering(streamOf('{"a":"ä', '"}\n\n{"a":', "2}\n", '{"a":3}'));
    const found: unknown[] = [];
    for await (const each of lines("/peers/A/query", {})) found.push(each);
    expect(found).toEqual([{ a: "ä" }, { a: 2 }, { a: 3 }]);
  });

  it("ends the request when the loop is left", async () => {
    const cancelled = vi.fn();
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode('{"a":1}\n'));
      },
      cancel: cancelled,
    });
    answering(endless);
    for await (const each of lines<{ a: number }>("/peers/A/query", {})) {
      expect(each.a).toBe(1);
      break;
    }
    expect(cancelled).toHaveBeenCalledOnce();
  });
});
