import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route, Routes, useLocation } from "react-router-dom";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { WorkspaceState } from "../../api/workstation";
import { renderInConsole } from "../../test/render";
import { Refusal, serviceWith } from "../../test/service";
import { EMPTY } from "../model/document";
import { NOTHING, useWorkspace } from "../model/store";
import { workstationPath } from "../path";
import { CT, OPENING, PT, WORKSPACE, facts } from "../test/scene";
import WorkstationPage from "./WorkstationPage";

// Pictures need a graphics card.
vi.mock("../view", () => ({
  PlanePane: ({ pane }: { pane: string }) => <div data-testid="pane">{pane}</div>,
  MipPane: ({ pane }: { pane: string }) => <div data-testid="pane">{pane}</div>,
}));

const now = () => useWorkspace.getState();
const panes = () => screen.getAllByTestId("pane").map((pane) => pane.textContent);
const NEW = { ...WORKSPACE, state: EMPTY };
const ANSWERS = {
  "GET /api/openings": OPENING,
  "GET /api/workspaces": [],
  "POST /api/workspaces": NEW,
  "GET /api/workspaces/w1": WORKSPACE,
  "PUT /api/workspaces/w1": { revision: 2 },
  [`GET /api/volumes/${CT}`]: facts(CT),
  [`GET /api/volumes/${PT}`]: facts(PT),
};

function Address() {
  return <p data-testid="address">{useLocation().pathname}</p>;
}

function open(at: string) {
  return renderInConsole(
    <>
      <Address />
      <Routes>
        <Route path="/workstation/:id" element={<WorkstationPage />} />
        <Route path="/" element={<p>The studies</p>} />
      </Routes>
    </>,
    { at },
  );
}

beforeEach(() => {
  useWorkspace.setState({ ...NOTHING });
  localStorage.clear();
});

describe("opening", () => {
  it("begins with what is proposed, and is found again by its address", async () => {
    const asked = serviceWith(ANSWERS);
    open(workstationPath("1.2.3", ""));
    expect(await screen.findByText("DEMO, Radfuse")).toBeInTheDocument();
    await waitFor(() => { expect(screen.getByTestId("address")).toHaveTextContent("/workstation/w1"); });
    expect(panes()).toEqual(["axial", "coronal", "sagittal", "mip"]);
    expect([now().doc.base?.series, now().doc.overlay?.series]).toEqual([CT, PT]);
    expect(asked.filter((each) => each.route.startsWith("POST"))).toHaveLength(1);
    await waitFor(() => { expect(Object.keys(now().facts)).toHaveLength(2); });
  });

  it("goes on with one's own draft, and offers to begin anew", async () => {
    const { state, ...rest } = WORKSPACE;
    const row = { ...rest, bytes: JSON.stringify(state).length };
    const asked = serviceWith({ ...ANSWERS, "GET /api/workspaces": [{ ...row, made_by: "bob", id: "w0", changed_s: 9999 }, row] });
    open(workstationPath("1.2.3", ""));
    expect(await screen.findByText(/^Your draft of/)).toBeInTheDocument();
    expect(now().id).toBe("w1");
    expect(asked.some((each) => each.route.startsWith("POST"))).toBe(false);
    await userEvent.click(screen.getByRole("button", { name: "Begin anew" }));
    await waitFor(() => { expect(asked.some((each) => each.route.startsWith("POST"))).toBe(true); });
  });

  it("says what is wrong, and tries again", async () => {
    serviceWith({ ...ANSWERS, "GET /api/workspaces/w1": new Refusal({ title: "Not Found", status: 404, detail: "there is no such draft" }) });
    open("/workstation/w1");
    expect(await screen.findByRole("alert")).toHaveTextContent("There is no such draft.");
    serviceWith(ANSWERS);
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("DEMO, Radfuse")).toBeInTheDocument();
  });
});

describe("the keyboard", () => {
  it("changes layouts, modes and tools, and takes them back", async () => {
    serviceWith(ANSWERS);
    open("/workstation/w1");
    await screen.findByText("DEMO, Radfuse");
    await userEvent.keyboard("2");
    expect(panes()).toEqual(["base", "overlay", "fused"]);
    await userEvent.keyboard("c");
    expect(now().doc.mode).toBe("checkerboard");
    await userEvent.keyboard("c{ }bt");
    expect(now()).toMatchObject({ is_overlay_hidden: true, tool: "threshold", doc: { mode: "blend", bookmarks: [{ name: "View 1" }] } });
    await userEvent.keyboard("zz");
    expect(now().doc).toMatchObject({ mode: "checkerboard", bookmarks: [] });
    await userEvent.keyboard("3");
    expect(await screen.findByText(/Choose a prior first/)).toBeInTheDocument();
    await userEvent.keyboard("?");
    expect(await screen.findByText("Spyglass under the pointer")).toBeInTheDocument();
  });

  it("keeps what was done when the page is left", async () => {
    const kept: WorkspaceState[] = [];
    serviceWith({ ...ANSWERS, "PUT /api/workspaces/w1": (body: unknown) => { kept.push((body as { state: WorkspaceState }).state); return { revision: 2 }; } });
    open("/workstation/w1");
    await screen.findByText("DEMO, Radfuse");
    await userEvent.keyboard("b");
    await userEvent.click(screen.getByRole("link", { name: "Back to the studies" }));
    await userEvent.click(await screen.findByRole("button", { name: "Keep draft" }));
    expect(await screen.findByText("The studies")).toBeInTheDocument();
    await waitFor(() => { expect(kept.at(-1)?.bookmarks).toHaveLength(1); });
    expect(now().id).toBe("");
  });
});
