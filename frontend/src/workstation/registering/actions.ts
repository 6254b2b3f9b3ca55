/** Steps of registering: begin, let the service work, look, accept or discard. */
import { notifications } from "@mantine/notifications";

import { problemOf } from "../../api/client";
import { actOn } from "../../api/jobs";
import {
  acceptProposal,
  discardProposal,
  readJob,
  readProposal,
  submitRegistration,
  type NewRegistration,
} from "../../api/registering";
import type { Job } from "../../api/types";
import { sentence } from "../../ui/ErrorBox";
import { failed } from "../../ui/undoable";
import { useWorkspace } from "../model/store";
import { beginByHand, compare, showMethod } from "./placing";
import { ENDED, NOT_REGISTERING, isRunning, useRegistering, type Method } from "./store";

const EVERY_MS = 500;

const CURES: Record<Method, string> = {
  click: "Click a place that both show clearly, take a smaller part of the images, or use landmarks.",
  none: "Click the same place in both first, or use landmarks.",
  kept: "Begin from a click instead.",
  landmarks: "Click at least three places that do not lie on one line.",
  manual: "Use landmarks instead.",
};

/** The tool that a method works with. */
function armed(method: Method): void {
  const { setTool, setLayout, tool, doc } = useWorkspace.getState();
  if (method === "manual") {
    setTool("hand");
    if (doc.layout === "side") setLayout("fused");
  }
  else if (method === "click" || method === "landmarks") {
    setTool("pair");
    setLayout("side");
  } else if (tool === "pair" || tool === "hand") setTool("window");
}

export function openRegistering(method: Method = "click"): void {
  const { doc, facts } = useWorkspace.getState();
  if (!doc.base || !doc.overlay) {
    notifications.show({ message: "Choose a base and an overlay first: the overlay is registered onto the base.", autoClose: 4000 });
    return;
  }
  const now = useRegistering.getState();
  if (now.isOpen && (now.job ?? now.proposal)) return;
  const shown = facts[doc.overlay.series];
  const onBase = shown && shown.alignment.kind !== "base" ? shown : null;
  useRegistering.setState({ ...NOT_REGISTERING, isOpen: true, onBase });
  chooseMethod(method);
}

export function chooseMethod(method: Method): void {
  useRegistering.setState({ method, pairs: [], half: { fixed: null, moving: null }, fit: null, hand: null, problem: "" });
  armed(method);
  showMethod();
  beginByHand();
}

export function closeRegistering(): void {
  const { place, propose, setTool, tool } = useWorkspace.getState();
  place(null);
  propose(null);
  if (["pair", "hand", "part"].includes(tool)) setTool("window");
  useRegistering.setState(NOT_REGISTERING);
}

/** What the service is asked for; null, and why, where something is missing. */
export function wanted(): NewRegistration | string {
  const { doc, database } = useWorkspace.getState();
  const { method, kind, pairs, part, region, hand, onBase, isSameFrameMeant } = useRegistering.getState();
  const isSameFrame = onBase?.alignment.kind === "same frame";
  if (!doc.base || !doc.overlay) return "Choose a base and an overlay first.";
  const both = { fixed: doc.base.series, moving: doc.overlay.series, region, propose: true, database };
  if (isSameFrame && !isSameFrameMeant) return "Both lie in one frame of reference already: nothing needs to be registered.";
  const allow = { allow_other_patient: doc.overlay.allow_other_patient, allow_same_frame: isSameFrame };
  if (method === "manual") {
    if (!hand) return "The overlay is still being read.";
    const manual = { shift_mm: hand.shift_mm, turn_degrees: hand.turn_degrees };
    return { ...both, ...allow, kind: "manual", manual };
  }
  if (method === "landmarks") {
    if (pairs.length < 3) return "Click three pairs of places or more.";
    return { ...both, ...allow, kind: "landmarks", landmarks: pairs };
  }
  if (method === "click" && !pairs.length) return "Click the same place in the base and in the overlay.";
  if (part !== "all" && !region) return `Drag the ${part} in the base first, or compare all.`;
  return { ...both, ...allow, kind, clicks: method === "click" ? pairs : [], from_path: method === "kept" };
}

function remembered(): string {
  return `radfuse-registering-${useWorkspace.getState().id}`;
}

export async function run(): Promise<void> {
  const ask = wanted();
  if (typeof ask === "string") {
    useRegistering.setState({ problem: ask });
    return;
  }
  try {
    const job = await submitRegistration(ask);
    localStorage.setItem(remembered(), String(job.id));
    useRegistering.setState({ job, problem: "", proposal: null, isBefore: false });
    await watch(job);
  } catch (error) {
    useRegistering.setState({ job: null, problem: sentence(problemOf(error).detail) });
  }
}

/** Until it has ended, and what comes of it. */
async function watch(first: Job): Promise<void> {
  const { id } = useWorkspace.getState();
  let job: Job = first;
  while (!ENDED.includes(job.state)) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (useWorkspace.getState().id !== id || useRegistering.getState().job?.id !== first.id) return;
    try {
      job = await readJob(first.id);
      useRegistering.setState({ job });
    } catch (error) {
      // Without an answer it goes on at the service.
      if (problemOf(error).status !== 0) throw error;
    }
  }
  await ended(job);
}

async function ended(job: Job): Promise<void> {
  const { method } = useRegistering.getState();
  if (job.state !== "done") {
    localStorage.removeItem(remembered());
    const problem = job.state === "failed" ? `${sentence(job.message)} ${CURES[method]}` : "";
    useRegistering.setState({ job: null, problem });
    showMethod();
    return;
  }
  await showProposal(job.id);
}

async function showProposal(job: number): Promise<void> {
  const { database, id } = useWorkspace.getState();
  const proposal = await readProposal(job, database);
  const { doc, place, propose, setLayout, setTool, id: now } = useWorkspace.getState();
  if (now !== id) return;
  if (proposal.accepted_s !== null) {
    // Somebody else said yes meanwhile: it is in the graph.
    localStorage.removeItem(remembered());
    closeRegistering();
    return;
  }
  useRegistering.setState({ isOpen: true, job: null, proposal, isBefore: false, problem: "" });
  place(null);
  propose({ job, fixed: proposal.fixed, moving: proposal.moving });
  if (doc.layout === "side") setLayout("fused");
  setTool("crosshair");
}

export async function cancel(): Promise<void> {
  const { job } = useRegistering.getState();
  if (!job) return;
  try {
    await actOn(job.id, "cancel");
  } catch (error) {
    failed("It could not be ended", error);
  }
}

/** A job that was begun here before the page was read again. */
export async function resume(): Promise<void> {
  const kept = localStorage.getItem(remembered());
  if (!kept || isRunning(useRegistering.getState())) return;
  try {
    const job = await readJob(Number(kept));
    if (job.state === "failed" || job.state === "cancelled") return;
    useRegistering.setState({ ...NOT_REGISTERING, isOpen: true, job });
    await watch(job);
  } catch {
    // It was decided on elsewhere, or is too old.
    localStorage.removeItem(remembered());
    closeRegistering();
  }
}

/** Kept as objects of the archive; one that failed its check only after a deliberate yes. */
export async function accept(allow_failed: boolean): Promise<void> {
  const { proposal } = useRegistering.getState();
  const { database } = useWorkspace.getState();
  if (!proposal) return;
  try {
    await acceptProposal(proposal.job, allow_failed, database);
  } catch (error) {
    failed("It was not kept", error);
    return;
  }
  localStorage.removeItem(remembered());
  const { consent, changeView, doc } = useWorkspace.getState();
  if (allow_failed) consent({ what: `allow_failed ${proposal.moving}`, sentence: `The registration failed its check: ${proposal.reason}` });
  closeRegistering();
  const overlay = doc.overlay?.series ?? "";
  const series = [proposal.fixed, proposal.moving].includes(overlay) ? overlay : proposal.moving;
  changeView(series, { only: [proposal.registration], ...(allow_failed && { allow_failed: true }) });
  notifications.show({
    title: "The registration is kept",
    message: "Undo (Z) forgets the choice in this workspace; the objects stay in the archive until they are deleted there.",
    autoClose: 8000,
  });
}

export async function discard(): Promise<void> {
  const { proposal } = useRegistering.getState();
  const { database, propose, place } = useWorkspace.getState();
  if (!proposal) return;
  try {
    await discardProposal(proposal.job, database);
  } catch (error) {
    if (problemOf(error).status !== 404) {
      failed("It was not discarded", error);
      return;
    }
  }
  localStorage.removeItem(remembered());
  place(null);
  propose(null);
  const { method, kind, part, region } = useRegistering.getState();
  useRegistering.setState({ ...NOT_REGISTERING, isOpen: true, kind, part, region });
  chooseMethod(method);
}

/** Follows the overlay: when it was read by itself, moving by hand can begin; another one ends what was begun. */
export function startRegistering(): () => void {
  void resume();
  const stop = useWorkspace.subscribe((now, before) => {
    if (!useRegistering.getState().isOpen) return;
    const isOther = now.doc.base?.series !== before.doc.base?.series || now.doc.overlay?.series !== before.doc.overlay?.series;
    if (isOther && now.id === before.id) closeRegistering();
    else if (now.facts !== before.facts) beginByHand();
  });
  return () => {
    stop();
    useRegistering.setState(NOT_REGISTERING);
  };
}

export { compare };
