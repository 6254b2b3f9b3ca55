/** Where the overlay is drawn while it is being registered. */
import { fitLandmarks } from "../../api/registering";
import type { Vector, VolumeFacts } from "../../api/workstation";
import { problemOf } from "../../api/client";
import { sentence } from "../../ui/ErrorBox";
import { useWorkspace } from "../model/store";
import { centreOf } from "../view/engine/grid";
import { after, inverse, matrixOf, movedPoint, type Matrix } from "../view/engine/matrices";
import { centred, handOf, matrixBetween, matrixOfHand, nudged } from "./hand";
import { useRegistering } from "./store";

const BESIDE = {
  click: "click the same place in the base and in the overlay",
  landmarks: "click the same places in the base and in the overlay; from three pairs on they are laid over each other",
  manual: "drag to shift, with Shift to turn; nothing is kept",
  fitted: "laid over by the landmarks; nothing is kept",
  before: "before: where the registration began",
} as const;

function place(words: string, matrix: Matrix | null, isAlone = true): void {
  const { doc, place: put } = useWorkspace.getState();
  if (doc.overlay) put({ series: doc.overlay.series, matrix, isAlone, words });
}

/** The overlay by itself, in its own frame; null before it was read. */
export function aloneFacts(): VolumeFacts | null {
  const { doc, facts } = useWorkspace.getState();
  const found = doc.overlay && facts[doc.overlay.series];
  return found?.alignment.kind === "base" ? found : null;
}

function baseFacts(): VolumeFacts | null {
  const { doc, facts } = useWorkspace.getState();
  return (doc.base && facts[doc.base.series]) ?? null;
}

/** As the chosen method needs it; also again when the overlay was read. */
export function showMethod(): void {
  const { method, fit, hand, isOpen, job } = useRegistering.getState();
  if (!isOpen || job) return;
  if (method === "none" || method === "kept") useWorkspace.getState().place(null);
  else if (method === "manual") place(BESIDE.manual, hand ? matrixOfHand(hand) : null);
  else if (method === "landmarks" && fit) place(BESIDE.fitted, fit.matrix);
  else place(BESIDE[method], null);
}

/** The middle on the middle, or as it lay before where that was rigid. */
export function beginByHand(): void {
  const [base, alone] = [baseFacts(), aloneFacts()];
  const { method, hand, onBase } = useRegistering.getState();
  if (method !== "manual" || hand || !base || !alone) return;
  const matrix = onBase && !onBase.is_resampled && onBase.SeriesInstanceUID === alone.SeriesInstanceUID ? matrixBetween(onBase, alone) : null;
  useRegistering.setState({ hand: matrix ? handOf(matrix, alone) : centred(base, alone) });
  showMethod();
}

export function moveByHand(shift_mm: Vector, turn?: { about: Vector; degrees: number }): void {
  const { hand } = useRegistering.getState();
  if (!hand) return;
  useRegistering.setState({ hand: nudged(hand, shift_mm, turn) });
  showMethod();
}

/** A click in one of the two; the pair is complete with the other one. */
export function clickPoint(side: "fixed" | "moving", point: Vector): void {
  const { half, pairs, method } = useRegistering.getState();
  const next = { ...half, [side]: point };
  if (!next.fixed || !next.moving) {
    useRegistering.setState({ half: next });
    return;
  }
  const pair = { fixed: next.fixed, moving: next.moving };
  setPairs(method === "click" ? [pair] : [...pairs, pair]);
  useRegistering.setState({ half: { fixed: null, moving: null } });
}

let asking: AbortController | null = null;
const FEWEST = 3;

/** Other pairs: the fit and its residuals are asked for at once. */
export function setPairs(pairs: ReturnType<typeof useRegistering.getState>["pairs"]): void {
  useRegistering.setState({ pairs, problem: "", ...(pairs.length === 0 && { fit: null }) });
  asking?.abort();
  if (useRegistering.getState().method !== "landmarks" || !pairs.length) {
    showMethod();
    return;
  }
  asking = new AbortController();
  const { signal } = asking;
  fitLandmarks({ pairs, kind: pairs.length < FEWEST ? "translation" : "rigid" }, signal).then(
    (fit) => {
      if (signal.aborted) return;
      useRegistering.setState({ fit });
      showMethod();
    },
    (error: unknown) => {
      if (signal.aborted) return;
      useRegistering.setState({ fit: null, problem: `${sentence(problemOf(error).detail)} Click places that lie farther apart.` });
      showMethod();
    },
  );
}

/** Before and after with one key; before is where it began, without that the middle on the middle. */
export function compare(): boolean {
  const { proposal, isBefore } = useRegistering.getState();
  const { doc, facts, place: put } = useWorkspace.getState();
  const series = doc.overlay?.series;
  if (!proposal || series === undefined) return false;
  useRegistering.setState({ isBefore: !isBefore });
  if (isBefore) {
    put(null);
    return true;
  }
  const { matrix, before } = proposal;
  const shown = facts[series];
  const base = baseFacts();
  if (!matrix || !shown || !base || proposal.moving !== series) {
    place(BESIDE.before, before);
    return true;
  }
  const [from, to] = [centreOf(base), movedPoint(matrix, centreOf(shown))];
  const began = before ?? matrixOf([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [to[0] - from[0], to[1] - from[1], to[2] - from[2]]); // prettier-ignore
  place(BESIDE.before, after(inverse(matrix), began), false);
  return true;
}
