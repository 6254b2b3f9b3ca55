/**
 * Live events: one connection for the whole console. While there is none, what matters is asked every 5 s.
 */

import { useQueryClient, type QueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

import { get } from "./client";
import { concerns, jobKeys, takeJobs } from "./liveCache";
import type { ArchiveEvent, JobTotals, JobsEvent } from "./types";

/** "polling": the service answers but its events do not come; "offline": it does not answer. */
export type LiveState = "connecting" | "live" | "polling" | "offline";

const ADDRESS = "/api/events";
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const POLL_MS = 5000;
const SOON_MS = 1000;

// --- the state, for whoever shows it -----------------------------------------------------------

let state: LiveState = "connecting";
const listeners = new Set<() => void>();

function become(next: LiveState): void {
  if (next === state) return;
  state = next;
  listeners.forEach((tell) => {
    tell();
  });
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(subscribe, () => state);
}

// --- asking again, but not too often ------------------------------------------------------------

/** Calls `run` for a key at most once in `every_ms`, the last time after the last call. */
export class Throttle {
  private readonly timers = new Map<string, number>();

  constructor(
    private readonly run: (key: QueryKey) => void,
    private readonly every_ms: number = SOON_MS,
  ) {}

  readonly soon = (key: QueryKey): void => {
    const name = JSON.stringify(key);
    if (this.timers.has(name)) return;
    const timer = window.setTimeout(() => {
      this.timers.delete(name);
      this.run(key);
    }, this.every_ms);
    this.timers.set(name, timer);
  };

  stop(): void {
    this.timers.forEach((timer) => {
      window.clearTimeout(timer);
    });
    this.timers.clear();
  }
}

// --- the connection ------------------------------------------------------------------------------

export class Connection {
  private source: EventSource | null = null;
  private pause_ms = FIRST_PAUSE_MS;
  private reconnecting: number | undefined;
  private polling: number | undefined;
  private isStopped = false;
  private readonly throttle: Throttle;

  constructor(private readonly client: QueryClient) {
    this.throttle = new Throttle((key) => void client.invalidateQueries({ queryKey: key }));
  }

  start(): void {
    this.isStopped = false;
    this.connect();
    window.addEventListener("online", this.retryNow);
  }

  stop(): void {
    this.isStopped = true;
    window.removeEventListener("online", this.retryNow);
    window.clearTimeout(this.reconnecting);
    window.clearInterval(this.polling);
    this.source?.close();
    this.throttle.stop();
    become("connecting");
  }

  private readonly retryNow = (): void => {
    window.clearTimeout(this.reconnecting);
    this.connect();
  };

  private connect(): void {
    this.source?.close();
    // Some locked-down browsers have none.
    if (typeof EventSource === "undefined") {
      this.polling ??= window.setInterval(() => void this.poll(), POLL_MS);
      return;
    }
    const source = new EventSource(ADDRESS);
    this.source = source;
    source.addEventListener("open", () => {
      this.pause_ms = FIRST_PAUSE_MS;
      window.clearInterval(this.polling);
      this.polling = undefined;
      become("live");
    });
    source.addEventListener("hello", () => {
      this.readAgain();
    });
    source.addEventListener("jobs", (event: MessageEvent<string>) => {
      takeJobs(this.client, JSON.parse(event.data) as JobsEvent, this.throttle.soon);
    });
    source.addEventListener("archive", (event: MessageEvent<string>) => {
      this.takeArchive(JSON.parse(event.data) as ArchiveEvent);
    });
    source.addEventListener("error", () => {
      this.lost();
    });
  }

  /** The browser's own reconnecting gives up after some errors and knows no pause: ours does not. */
  private lost(): void {
    this.source?.close();
    if (this.isStopped) return;
    if (state === "live") become("connecting");
    this.polling ??= window.setInterval(() => void this.poll(), POLL_MS);
    window.clearTimeout(this.reconnecting);
    this.reconnecting = window.setTimeout(() => {
      this.connect();
    }, this.pause_ms * (0.75 + Math.random() / 2));
    this.pause_ms = Math.min(this.pause_ms * 2, LONGEST_PAUSE_MS);
  }

  private async poll(): Promise<void> {
    try {
      const totals = await get<JobTotals>("/jobs/totals");
      if (this.polling === undefined) return;
      become("polling");
      this.client.setQueryData(jobKeys.totals, totals);
      this.readAgain();
    } catch {
      if (this.polling !== undefined) become("offline");
    }
  }

  private takeArchive(event: ArchiveEvent): void {
    for (const query of this.client.getQueryCache().findAll({ queryKey: ["studies"] })) {
      if (concerns(event, query.queryKey)) this.throttle.soon(query.queryKey);
    }
  }

  private readAgain(): void {
    // What is being asked just now need not be asked twice.
    for (const queryKey of [["jobs"], ["studies"]]) {
      void this.client.invalidateQueries({ queryKey }, { cancelRefetch: false });
    }
  }
}

/** Mounted once, in the shell: keeps the connection while somebody is logged in. */
export function Live(): null {
  const client = useQueryClient();
  useEffect(() => {
    const connection = new Connection(client);
    connection.start();
    return () => {
      connection.stop();
    };
  }, [client]);
  return null;
}
