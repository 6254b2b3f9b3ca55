/** Reads what the shown series are: of the base by itself, of all others as they lie onto it. */
import { isAborted, problemOf } from "../../api/client";
import { isProgress, readVolume } from "../../api/volumes";
import type { View, WorkspaceState } from "../../api/workstation";
import { sentence } from "../../ui/ErrorBox";
import { asProposed } from "./placing";
import type { Known, SeriesProblem } from "./state";
import { useWorkspace } from "./store";

const AGAIN_MS = 200;
/** While the service does not answer, or fails. */
const LATER_MS = 3000;
/** Whether what is shown still holds: registrations and images come and go. */
const CHECK_MS = 15_000;

interface Wanted {
  view: View;
  onto: string | null;
}

type Registering = Partial<Pick<Known, "proposed" | "placed">>;

/** By series, each once: the series that is base and prior is the base. */
export function wantedOf(doc: WorkspaceState, { proposed = null, placed = null }: Registering = {}): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  const base = doc.base?.series ?? null;
  for (const view of [doc.base, doc.overlay, doc.prior]) {
    if (!view || wanted.has(view.series)) continue;
    const isAlone = view.series === base || (placed?.isAlone === true && placed.series === view.series);
    wanted.set(view.series, isAlone ? { view, onto: null } : { view: asProposed(view, { doc, proposed }), onto: base });
  }
  return wanted;
}

export function problemFromError(error: unknown): SeriesProblem {
  const { status, detail, setting } = problemOf(error);
  return { status, sentence: sentence(detail), setting: setting ?? "" };
}

/** Nothing may be overlaid, but the series can be shown by itself. */
export function isUnaligned(problem: SeriesProblem | undefined): boolean {
  return problem?.status === 409;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("No longer wanted", "AbortError"));
    });
  });
}

async function read({ view, onto }: Wanted, database: string, signal: AbortSignal): Promise<void> {
  const { setFacts, setProblem, setReading } = useWorkspace.getState();
  for (;;) {
    try {
      const answer = await readVolume(view, { onto, database }, signal);
      if (!isProgress(answer)) {
        setFacts(view.series, answer);
        return;
      }
      setReading(view.series, answer);
      await pause(AGAIN_MS, signal);
    } catch (error) {
      if (isAborted(error) || signal.aborted) return;
      const problem = problemFromError(error);
      setProblem(view.series, problem);
      if (isUnaligned(problem)) {
        await readAlone(view, database, signal);
        return;
      }
      if (problem.status !== 0 && problem.status < 500) return;
      try {
        await pause(LATER_MS, signal);
      } catch {
        return;
      }
    }
  }
}

/** Once more, as it is shown: facts that changed take the place of the old ones, and so does a refusal. */
async function check({ view, onto }: Wanted, database: string, signal: AbortSignal): Promise<void> {
  const { facts, problems, setFacts, setProblem, forget } = useWorkspace.getState();
  const shown = facts[view.series];
  const problem = problems[view.series];
  if (!shown && problem?.status !== 409) return;
  try {
    const answer = await readVolume(view, { onto, database }, signal, problem ? undefined : shown?.id);
    if (signal.aborted || isProgress(answer)) return;
    if (!problem && JSON.stringify(answer) === JSON.stringify(shown)) return;
    setFacts(view.series, answer);
  } catch (error) {
    const now = problemFromError(error);
    // Without an answer nobody knows better.
    if (signal.aborted || now.status === 0 || now.status >= 500) return;
    if (JSON.stringify(now) === JSON.stringify(problem)) return;
    forget(view.series);
    setProblem(view.series, now);
    if (isUnaligned(now)) await readAlone(view, database, signal);
  }
}

let checkNow: () => void = () => undefined;

/** The service said that what is shown does not hold any more. */
export function readAgain(): void {
  checkNow();
}

/** What cannot be laid onto the base is shown beside it. */
async function readAlone(view: View, database: string, signal: AbortSignal): Promise<void> {
  try {
    const answer = await readVolume(view, { onto: null, database }, signal);
    if (!isProgress(answer)) {
      useWorkspace.getState().setFacts(view.series, answer, { isAlone: true });
      return;
    }
    await pause(AGAIN_MS, signal);
    await readAlone(view, database, signal);
  } catch {
    // The problem that stands there says enough.
  }
}

/** Reads from now on whatever the document shows. The answer ends it. */
export function startReading(): () => void {
  const running = new Map<string, { key: string; stop: AbortController; wanted: Wanted }>();
  const look = () => {
    const { doc, database, id, forget, proposed, placed } = useWorkspace.getState();
    const wanted = id ? wantedOf(doc, { proposed, placed }) : new Map<string, Wanted>();
    for (const [series, { key, stop }] of running) {
      const still = wanted.get(series);
      if (still && JSON.stringify(still) === key) continue;
      stop.abort();
      running.delete(series);
      forget(series);
    }
    for (const [series, each] of wanted) {
      if (running.has(series)) continue;
      const stop = new AbortController();
      running.set(series, { key: JSON.stringify(each), stop, wanted: each });
      void read(each, database, stop.signal);
    }
  };
  let shown: unknown[] = [];
  const unsubscribe = useWorkspace.subscribe(({ id, doc, proposed, placed }) => {
    const next = [id, doc.base, doc.overlay, doc.prior, proposed, placed?.isAlone && placed.series];
    if (next.every((each, at) => each === shown[at])) return;
    shown = next;
    look();
  });
  look();
  checkNow = () => {
    const { database } = useWorkspace.getState();
    for (const { wanted, stop } of running.values()) void check(wanted, database, stop.signal);
  };
  return () => {
    unsubscribe();
    checkNow = () => undefined;
    for (const { stop } of running.values()) stop.abort();
  };
}

/** Looks from now on whether what is read still holds, as long as the page is seen. The answer ends it. */
export function startChecking(): () => void {
  const look = () => {
    if (document.visibilityState === "visible") readAgain();
  };
  const timer = window.setInterval(look, CHECK_MS);
  document.addEventListener("visibilitychange", look);
  return () => {
    window.clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
