import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useNavigate } from "react-router-dom";
import { beforeEach, describe, expect, it } from "vitest";

import type { KeptSession } from "../../api/workstation";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import { Refusal, serviceWith, type Asked } from "../../test/service";
import { NOTHING, useWorkspace } from "../model/store";
import { WORKSPACE } from "../test/scene";
import { leave } from "./LeaveDialog";
import { openSave } from "./SaveSession";
import { SessionList, ordered } from "./SessionList";
import { SessionState } from "./SessionState";
import { tellFindings } from "./findings";
import { isUnsaved, noteOpened, useSaved, workWords } from "./work";

const SAVED = { SOPInstanceUID: "2.25.9", version: 2, objects: [{ label: "a" }, { label: "b" }], notes: [], jobs: [] };
const ROUTE = "POST /api/workspaces/w1/session";
const ANSWERS = { "PUT /api/workspaces/w1": { revision: 5 }, "GET /api/peers": [{ name: "PACS1", send: true }, { name: "CT1", send: false }] };
const now = () => useWorkspace.getState();
const row = (uid: string, change: Partial<KeptSession> = {}): KeptSession => ({
  SOPInstanceUID: uid, StudyInstanceUID: "1.2.3", name: "Baseline", note: "", made: "20260102101500", by: "ada", version: 1,
  predecessor: "", is_ours: true, objects: 5, is_complete: true, missing: 0, ...change,
});

function begin(answers: Record<string, unknown> = {}, role: "reader" | "operator" = "operator"): { asked: Asked[]; went: string[] } {
  const asked = serviceWith({ ...ANSWERS, ...answers });
  const went: string[] = [];
  renderInConsole(<><SessionState /><Back went={went} role={role} /></>, { session: { ...ADMINISTRATOR, role } });
  return { asked, went };
}

function Back({ went, role }: { went: string[]; role: string }) {
  useNavigate();
  return <button type="button" onClick={() => { leave({ canSave: role === "operator", go: () => { went.push("away"); } }); }}>Leave</button>;
}

async function inDialog(name: string): Promise<HTMLElement> {
  return within(await screen.findByRole("dialog")).findByRole("button", { name });
}

beforeEach(() => {
  useSaved.setState({ saved: null });
  useWorkspace.setState({ ...NOTHING });
  now().open(WORKSPACE, { database: "", user: "ada" });
});

describe("saving", () => {
  it("keeps the draft first, saves that revision, and says so", async () => {
    const { asked } = begin({ [ROUTE]: SAVED });
    now().addBookmark();
    expect(await screen.findByText("Not in a session")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Save session" }));
    const name = await screen.findByLabelText(/Name/);
    await userEvent.clear(name);
    await userEvent.type(name, "Baseline");
    await userEvent.type(screen.getByLabelText("Note"), "before therapy");
    await userEvent.click(await inDialog("Save session"));
    expect(await screen.findByText("Session “Baseline” saved")).toBeInTheDocument();
    const sent = asked.filter(({ route }) => /PUT|POST/.test(route));
    expect(sent.map(({ route }) => route)).toEqual(["PUT /api/workspaces/w1", ROUTE]);
    expect(sent[1]?.body).toEqual({ name: "Baseline", note: "before therapy", peers: [], revision: 5 });
    expect(await screen.findByText(/Session v2 saved/)).toBeInTheDocument();
    expect(isUnsaved()).toBe(false);
  });

  it("stays open with the reason where it is refused", async () => {
    begin({ [ROUTE]: new Refusal({ title: "No", status: 422, detail: "its images are gone" }) });
    openSave();
    await userEvent.click(await inDialog("Save session"));
    expect(await screen.findByText(/Its images are gone/)).toBeInTheDocument();
  });

  it("is for operators; a reader's draft is kept", async () => {
    begin({}, "reader");
    await userEvent.click(screen.getByRole("button", { name: "Save session" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });
});

describe("leaving", () => {
  it("goes at once where nothing was made, or all is saved", async () => {
    const { went } = begin();
    now().removeRegion("r1");
    await userEvent.click(screen.getByRole("button", { name: "Leave" }));
    now().addBookmark();
    noteOpened();
    await userEvent.click(screen.getByRole("button", { name: "Leave" }));
    expect(went).toEqual(workWords(WORKSPACE.state) ? ["away"] : ["away", "away"]);
  });

  it("asks where work is in no session, and discards only on purpose", async () => {
    const { asked, went } = begin({ "DELETE /api/workspaces/w1": null });
    now().addBookmark();
    await userEvent.click(screen.getByRole("button", { name: "Leave" }));
    expect(await screen.findByText(/In no saved session yet: .*1 bookmark/)).toBeInTheDocument();
    expect(went).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Discard draft" }));
    await waitFor(() => { expect(went).toEqual(["away"]); });
    expect(asked.map(({ route }) => route)).toContain("DELETE /api/workspaces/w1");
  });
});

describe("the list", () => {
  it("shows the newest version, the earlier ones below it", () => {
    const first = row("1");
    const second = row("2", { version: 2, predecessor: "1" });
    const foreign = row("3", { is_ours: false, name: "Of Interest" });
    expect(ordered([foreign, second, first])).toEqual([
      { newest: foreign, older: [] },
      { newest: second, older: [first] },
    ]);
    renderInConsole(<SessionList sessions={[foreign, second, first]} database="" />);
    expect(screen.getByText("1 earlier version")).toBeInTheDocument();
    expect(screen.getAllByRole("link", { name: "Open" })[1]).toHaveAttribute("href", "/workstation/new?study=1.2.3&session=2");
  });

  it("says what could not be restored", async () => {
    begin();
    tellFindings(["the report (Measurements) is missing"]);
    expect(await screen.findByText("The report (Measurements) is missing.")).toBeInTheDocument();
  });
});
