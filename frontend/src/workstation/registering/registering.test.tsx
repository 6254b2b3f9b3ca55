import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import type { LandmarkAnswer, RegistrationProposal } from "../../api/registering";
import type { Vector } from "../../api/workstation";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import { serviceWith } from "../../test/service";
import { ReasonBar } from "../panels/ReasonBar";
import { measuredView } from "../model/making";
import { wantedOf } from "../model/reading";
import { useWorkspace } from "../model/store";
import { CT, PT, facts, openScene } from "../test/scene";
import { blockedIn, shownIn } from "../view/scenes";
import { openRegistering } from "./actions";
import { clickPoint, compare, moveByHand } from "./placing";
import { RegisteringPanel } from "./RegisteringPanel";
import { NOT_REGISTERING, useRegistering } from "./store";

const now = () => useWorkspace.getState();
const MOVED = [1, 0, 0, 10, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const ALONE = facts(PT, { FrameOfReferenceUID: "1.2.7", alignment: { ...facts(PT).alignment, kind: "base" } });
const LAID = facts(PT, { alignment: { ...facts(PT).alignment, kind: "proposed", method: "automatic rigid", grade: "CAUTION", grade_reason: "remaining shift 5 mm" } });
const JOB = { id: 7, kind: "register", state: "queued", message: "", actions: [] };
const PROPOSAL: RegistrationProposal = {
  job: 7, fixed: CT, moving: PT, kind: "rigid", method: "automatic rigid", grade: "CAUTION", reason: "remaining shift 5 mm",
  checks: [
    { quantity: "remaining shift", subject: "", value: 5, before: 8, unit: "mm", grade: "CAUTION", passes: 2.5, fails: null, limit_from: "Radfuse" },
    { quantity: "overlap", subject: "", value: 90, before: null, unit: "%", grade: "PASS", passes: 50, fails: 10, limit_from: "Radfuse" },
  ],
  concerns: [], notes: [], parameters: {}, fell_back: "", matrix: MOVED, before: null, pictures: [{ kind: "edges of fixed on moving", view: "axial" }],
  made_s: 1, registration: "2.25.9", accepted_by: "", accepted_s: null,
}; // prettier-ignore
const FIT: LandmarkAnswer = { matrix: MOVED, residuals_mm: [0.4], left_out_mm: [null], rms_mm: 0.4, expected_error_mm: null, worst: 0 };

const panel = () => within(screen.getByRole("region", { name: "Registering" }));

beforeEach(() => {
  openScene();
  now().setFacts(PT, facts(PT, { alignment: { ...facts(PT).alignment, kind: "registered", grade: "CAUTION" } }));
  useRegistering.setState(NOT_REGISTERING);
  localStorage.clear();
});

/** As after the page has read the overlay by itself. */
function readAlone(): void {
  now().setFacts(PT, ALONE);
}

describe("clicking the same place in both", () => {
  it("shows the two beside each other, and asks for what is missing", async () => {
    serviceWith({});
    renderInConsole(<RegisteringPanel />);
    openRegistering();
    readAlone();
    expect(now().doc.layout).toBe("side");
    expect(wantedOf(now().doc, now()).get(PT)?.onto).toBeNull();
    expect(shownIn(now(), "fused")?.above).toBeNull();
    expect(await screen.findByRole("button", { name: "Register" })).toBeDisabled();
    clickPoint("moving", [1, 2, 3]);
    expect(await screen.findByRole("status")).toHaveTextContent("Now the same place in the base.");
    clickPoint("fixed", [4, 5, 6]);
    expect(useRegistering.getState().pairs).toEqual([{ fixed: [4, 5, 6], moving: [1, 2, 3] }]);
    await waitFor(() => { expect(screen.getByRole("button", { name: "Register" })).toBeEnabled(); });
  });
});

describe("landmarks", () => {
  it("lay the overlay over the base at once, and say what is left", async () => {
    const asked = serviceWith({ "POST /api/registrations/landmarks": FIT });
    renderInConsole(<><RegisteringPanel /><ReasonBar series={PT} /></>);
    openRegistering("landmarks");
    readAlone();
    clickPoint("fixed", [0, 0, 0]);
    clickPoint("moving", [10, 0, 0]);
    expect(await screen.findByText("0.4 mm", { exact: true })).toBeInTheDocument();
    expect(asked.at(-1)?.body).toMatchObject({ kind: "translation" });
    expect(shownIn(now(), "fused")?.above?.SeriesInstanceUID).toBe(PT);
    expect(blockedIn(now(), "fused")).toBeNull();
    expect(screen.getByText("Being registered")).toBeInTheDocument();
    // The service does not know where it lies.
    expect(measuredView(now())?.series).toBe(CT);
  });
});

describe("by hand", () => {
  it("begins as it lay before, and follows the drag", () => {
    renderInConsole(<RegisteringPanel />);
    openRegistering("manual");
    now().setFacts(PT, facts(PT, { ...ALONE, origin_mm: [100, 0, 0] }));
    expect(useRegistering.getState().hand?.shift_mm.map(Math.round)).toEqual([-100, 0, 0]);
    const shift: Vector = [3, 0, 0];
    moveByHand(shift);
    expect(now().placed?.matrix?.[3]).toBeCloseTo(97);
  });
});

describe("a proposal", () => {
  async function propose(grade: RegistrationProposal["grade"] = "CAUTION", session = ADMINISTRATOR) {
    const asked = serviceWith({
      "POST /api/registrations": JOB,
      "GET /api/jobs/7": { ...JOB, state: "done" },
      "GET /api/registrations/proposals/7": { ...PROPOSAL, grade },
      "POST /api/registrations/proposals/7/accept": PROPOSAL,
      "DELETE /api/registrations/proposals/7": {},
    });
    renderInConsole(<><RegisteringPanel /><ReasonBar series={PT} /></>, { session });
    openRegistering("none");
    await userEvent.click(await screen.findByRole("button", { name: "Register" }));
    await screen.findByText(/^Proposed: /, undefined, { timeout: 5000 });
    now().setFacts(PT, LAID);
    return asked;
  }

  it("is asked for without keeping anything, and shown as what it is", async () => {
    const asked = await propose();
    expect(asked.find((each) => each.route === "POST /api/registrations")?.body).toMatchObject({ propose: true, fixed: CT, moving: PT });
    expect(wantedOf(now().doc, now()).get(PT)?.view.proposed).toBe(7);
    expect(now().doc.overlay).not.toHaveProperty("proposed");
    expect(await screen.findByText("Proposed, not kept")).toBeInTheDocument();
    expect(panel().getByText("≤ 2.50 mm")).toBeInTheDocument();
    expect(panel().getByText("≥ 50.0 %")).toBeInTheDocument();
  });

  it("is compared with where it began by one key, without asking the service", async () => {
    const asked = await propose();
    const before = asked.length;
    await userEvent.keyboard("v");
    expect(now().placed).toMatchObject({ series: PT, isAlone: false });
    expect(await screen.findByText("Being registered")).toBeInTheDocument();
    expect(compare()).toBe(true);
    expect(now().placed).toBeNull();
    expect(asked).toHaveLength(before);
  });

  it("is chosen for this workspace once it is accepted, which Undo forgets", async () => {
    await propose();
    await userEvent.click(screen.getByRole("button", { name: "Accept" }));
    await waitFor(() => { expect(now().doc.overlay?.only).toEqual(["2.25.9"]); });
    expect([now().proposed, useRegistering.getState().isOpen]).toEqual([null, false]);
    now().undo();
    expect(now().doc.overlay?.only).toEqual([]);
  });

  it("that failed its check needs a yes in words, which is kept", async () => {
    const asked = await propose("FAIL");
    await userEvent.click(screen.getByRole("button", { name: "Accept …" }));
    const keep = await screen.findByRole("button", { name: "Keep it all the same" });
    expect(keep).toBeDisabled();
    await userEvent.click(screen.getByRole("checkbox"));
    await userEvent.click(keep);
    await waitFor(() => { expect(now().doc.overlay?.allow_failed).toBe(true); });
    expect(asked.at(-1)).toMatchObject({ route: "POST /api/registrations/proposals/7/accept", body: { allow_failed: true } });
    expect(now().doc.consents).toMatchObject([{ by: "ada", sentence: "The registration failed its check: remaining shift 5 mm" }]);
  });

  it("that is discarded leaves everything as it was", async () => {
    await propose();
    await userEvent.click(screen.getByRole("button", { name: "Discard" }));
    await waitFor(() => { expect(now().proposed).toBeNull(); });
    expect(useRegistering.getState()).toMatchObject({ isOpen: true, proposal: null });
  });
});

it("a job that fails says why, and what to do", async () => {
  serviceWith({ "POST /api/registrations": JOB, "GET /api/jobs/7": { ...JOB, state: "failed", message: "the images tell nothing about each other" } });
  renderInConsole(<RegisteringPanel />);
  openRegistering("none");
  await userEvent.click(await screen.findByRole("button", { name: "Register" }));
  expect(await screen.findByRole("alert", undefined, { timeout: 5000 })).toHaveTextContent("The images tell nothing about each other. Click the same place in both first, or use landmarks.");
});

it("a reader may try, and not register", async () => {
  renderInConsole(<RegisteringPanel />, { session: { ...ADMINISTRATOR, role: "reader" } });
  openRegistering("none");
  expect(await screen.findByText(/^An operator may register/)).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Register" })).toBeDisabled();
});

it("within one frame of reference it is done only if that is meant", async () => {
  const asked = serviceWith({ "POST /api/registrations": JOB, "GET /api/jobs/7": JOB });
  now().setFacts(PT, facts(PT));
  renderInConsole(<RegisteringPanel />);
  openRegistering("none");
  expect(await screen.findByRole("button", { name: "Register" })).toBeDisabled();
  await userEvent.click(screen.getByRole("checkbox"));
  await userEvent.click(screen.getByRole("button", { name: "Register" }));
  expect(asked[0]?.body).toMatchObject({ allow_same_frame: true });
});
