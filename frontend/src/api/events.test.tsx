import { QueryClient } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Connection, Throttle, useLiveState } from "./events";
import { jobKeys } from "./liveCache";

/** A source of events that does what the test says. */
class Source extends EventTarget {
  static all: Source[] = [];
  isClosed = false;

  constructor(readonly address: string) {
    super();
    Source.all.push(this);
  }

  static get last(): Source {
    return Source.all.at(-1)!;
  }

  close(): void {
    this.isClosed = true;
  }

  tell(name: string, data?: unknown): void {
    act(() => {
      this.dispatchEvent(data === undefined ? new Event(name) : new MessageEvent(name, { data: JSON.stringify(data) }));
    });
  }
}

const TOTALS = { queued: 0, running: 2, waiting: 0, paused: 0, done: 0, failed: 0, cancelled: 0 };
let client: QueryClient;
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  Source.all = [];
  vi.stubGlobal("EventSource", Source);
  client = new QueryClient();
  connection = new Connection(client);
});

afterEach(() => {
  act(() => {
    connection.stop();
  });
  vi.useRealTimers();
});

it("is live once the connection stands, and puts events into the cache", () => {
  const { result } = renderHook(() => useLiveState());
  connection.start();
  expect(result.current).toBe("connecting");
  Source.last.tell("open");
  expect(result.current).toBe("live");
  Source.last.tell("jobs", { jobs: [], totals: TOTALS });
  expect(client.getQueryData(jobKeys.totals)).toEqual(TOTALS);
});

it("connects again with growing pauses, and asks every 5 s meanwhile", async () => {
  const asked = vi.fn(() => Promise.resolve(new Response(JSON.stringify(TOTALS))));
  vi.stubGlobal("fetch", asked);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  const { result } = renderHook(() => useLiveState());
  connection.start();
  Source.last.tell("error");
  expect(Source.last.isClosed).toBe(true);
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(Source.all).toHaveLength(2);
  Source.last.tell("error");
  await act(() => vi.advanceTimersByTimeAsync(1999));
  expect(Source.all).toHaveLength(2);
  await act(() => vi.advanceTimersByTimeAsync(1));
  expect(Source.all).toHaveLength(3);
  await act(() => vi.advanceTimersByTimeAsync(2000));
  expect(asked).toHaveBeenCalledTimes(1);
  expect(result.current).toBe("polling");
  Source.last.tell("open");
  expect(result.current).toBe("live");
  await act(() => vi.advanceTimersByTimeAsync(20_000));
  expect(asked).toHaveBeenCalledTimes(1);
});

it("says that nothing answers when even asking fails", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  const { result } = renderHook(() => useLiveState());
  connection.start();
  Source.last.tell("error");
  await act(() => vi.advanceTimersByTimeAsync(5100));
  expect(result.current).toBe("offline");
});

it("asks for studies again at most once a second, and only for those concerned", async () => {
  const invalidate = vi.spyOn(client, "invalidateQueries");
  client.setQueryData(["studies", "list", ""], {});
  client.setQueryData(["studies", "here", "9.9"], 1);
  connection.start();
  Source.last.tell("open");
  for (let count = 0; count < 50; count += 1) Source.last.tell("archive", { studies: ["1.2"], database: "default" });
  expect(invalidate).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  expect(invalidate.mock.calls.map(([filter]) => filter?.queryKey)).toEqual([["studies", "list", ""]]);
});

it("connects no more once it is stopped", async () => {
  connection.start();
  Source.last.tell("error");
  connection.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Source.all).toHaveLength(1);
});

it("a throttle calls once for each key in its time", async () => {
  const run = vi.fn();
  const throttle = new Throttle(run, 100);
  throttle.soon(["a"]);
  throttle.soon(["a"]);
  throttle.soon(["b"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(run.mock.calls).toEqual([[["a"]], [["b"]]]);
  throttle.soon(["a"]);
  throttle.stop();
  await vi.advanceTimersByTimeAsync(100);
  expect(run).toHaveBeenCalledTimes(2);
});
