import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route, Routes, useLocation } from "react-router-dom";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Series, Study, StudyDetail, StudyPage } from "../../api/types";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import StudiesPage from "./StudiesPage";
import { forgetSearch } from "./searchState";

function study(uid: string, extra: Partial<Study> = {}): Study {
  return {
    StudyInstanceUID: uid,
    PatientName: "DOE^JANE",
    PatientID: `ID-${uid}`,
    IssuerOfPatientID: "",
    PatientBirthDate: "19600412",
    PatientSex: "F",
    StudyDate: "20260105",
    StudyTime: "094500",
    StudyID: "1",
    StudyDescription: `Study ${uid}`,
    AccessionNumber: "",
    ReferringPhysicianName: "",
    ModalitiesInStudy: ["CT"],
    NumberOfStudyRelatedSeries: 1,
    NumberOfStudyRelatedInstances: 40,
    size_bytes: 1_000_000,
    first_arrived_s: 1_767_600_000,
    last_arrived_s: 1_767_600_000,
    badges: [],
    ...extra,
  };
}

const SERIES: Series = {
  SeriesInstanceUID: "1.2.1",
  Modality: "CT",
  SeriesNumber: "1",
  SeriesDescription: "Thorax",
  BodyPartExamined: "",
  SeriesDate: "",
  SeriesTime: "",
  FrameOfReferenceUID: "",
  NumberOfSeriesRelatedInstances: 40,
  size_bytes: 1_000_000,
  last_arrived_s: 1_767_600_000,
  thumbnail: "",
};

const asked: { method: string; path: string; body: unknown }[] = [];
type Answers = Record<string, unknown>;

/** A service that gives these answers, the first whose beginning fits. */
function serve(answers: Answers): void {
  vi.stubGlobal("fetch", (address: string, init?: RequestInit) => {
    const method = init?.method ?? "GET";
    const path = address.replace(/^\/api/, "");
    asked.push({ method, path, body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined });
    const found = Object.entries(answers).find(([start]) => `${method} ${path}`.startsWith(start));
    const [status, body] = found ? [200, found[1]] : [404, { title: "Not Found", status: 404, detail: "unknown here" }];
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
}

function page(studies: Study[], extra: Partial<StudyPage> = {}): StudyPage {
  return { studies, next: null, understood: [], ...extra };
}

/** By its text: asking for rows by their names is slow. */
async function row(text: string): Promise<HTMLElement> {
  const [first] = await screen.findAllByText(text);
  const found = first?.closest<HTMLElement>('[role="row"]');
  if (!found) throw new Error(`${text} is in no row`);
  return found;
}

beforeEach(() => {
  HTMLElement.prototype.scrollTo = () => undefined;
  asked.length = 0;
  forgetSearch();
  // Nothing has a size in jsdom; a list shows what fits.
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(700);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(1200);
});

describe("the studies page", () => {
  it("lists studies as people read them", async () => {
    serve({ "GET /studies": page([study("1.2")]) });
    renderInConsole(<StudiesPage />);
    const cells = await row("DOE, Jane");
    expect(cells).toHaveTextContent("DOE, Jane" + "ID-1.2" + "12 Apr 1960 65 y" + "F" + "05 Jan 2026 09:45" + "Study 1.2");
    expect(within(cells).getByText("CT")).toBeVisible();
    expect(screen.getByText(/1 study, newest study first/)).toBeVisible();
  });

  it("shows HTML in names and descriptions as text", async () => {
    const evil = "<img src onerror>";
    serve({ "GET /studies": page([study("1.2", { PatientName: evil, StudyDescription: "<script>alert(2)</script>" })]) });
    const { container } = renderInConsole(<StudiesPage />);
    expect(await screen.findByText(evil)).toBeVisible();
    expect(container.querySelector("img, script")).toBeNull();
  });

  it("searches while one types, and tells how the words were understood", async () => {
    serve({
      "GET /studies?q=doe": page([study("1.2")], { understood: [{ text: "doe", meaning: "name" }] }),
      "GET /studies": page([study("1.2"), study("1.3")]),
    });
    renderInConsole(<StudiesPage />);
    await row("Study 1.3");
    await userEvent.type(screen.getByRole("searchbox"), "doe");
    await waitFor(() => { expect(screen.queryByText("Study 1.3")).toBeNull(); });
    await userEvent.click(screen.getByRole("button", { name: "Search without doe" }));
    await row("Study 1.3");
    expect(screen.getByRole("searchbox")).toHaveValue("");
    // One request for what was typed, not one for each letter.
    expect(asked.filter(({ path }) => path.includes("q=")).length).toBe(1);
  });

  it("says how to fill an empty archive", async () => {
    serve({ "GET /studies": page([]), "GET /status": { dicom_address: "node.example:11112" } });
    renderInConsole(<StudiesPage />);
    expect(await screen.findByText("The archive is empty")).toBeVisible();
    expect(await screen.findByText("node.example:11112")).toBeVisible();
    expect(screen.getByText("RADFUSE")).toBeVisible();
  });

  it("leads on when nothing is found", async () => {
    serve({ "GET /studies?q=nobody": page([]), "GET /studies": page([study("1.2")]) });
    renderInConsole(<StudiesPage />);
    await userEvent.type(screen.getByRole("searchbox"), "nobody");
    expect(await screen.findByText("No study matches")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Clear the search" }));
    await row("Study 1.2");
  });

  it("says what went wrong and tries again", async () => {
    serve({});
    renderInConsole(<StudiesPage />);
    expect(await screen.findByText("Unknown here.")).toBeVisible();
    serve({ "GET /studies": page([study("1.2")]) });
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await row("Study 1.2");
  });

  it("deletes what is selected and takes it back", async () => {
    const due_s = Date.now() / 1000 + 300;
    const job = { id: 7, state: "waiting" };
    serve({
      "GET /studies": page([study("1.2"), study("1.3"), study("1.4")]),
      "POST /deletions": { job, due_s },
      "POST /jobs/7/cancel": { ...job, state: "cancelled" },
    });
    renderInConsole(<StudiesPage />);
    await userEvent.click(within(await row("Study 1.2")).getByRole("checkbox"));
    await userEvent.click(within(await row("Study 1.4")).getByRole("checkbox"));
    expect(screen.getByText("2 studies selected")).toBeVisible();
    await userEvent.keyboard("{Delete}");
    await userEvent.click(await screen.findByRole("button", { name: /Undo/ }));
    await waitFor(() => {
      expect(asked.filter(({ method }) => method === "POST")).toEqual([
        { method: "POST", path: "/deletions", body: { studies: ["1.2", "1.4"] } },
        { method: "POST", path: "/jobs/7/cancel", body: undefined },
      ]);
    });
  });

  it("lets a reader look and change nothing", async () => {
    const detail: StudyDetail = { study: study("1.2"), series: [] };
    serve({ "GET /studies/1.2": detail, "GET /studies": page([study("1.2")]), "GET /status": { ohif: "3.13.2" } });
    renderInConsole(<StudiesPage />, { session: { ...ADMINISTRATOR, role: "reader" } });
    await userEvent.click(await row("Study 1.2"));
    await screen.findByRole("heading", { name: "DOE, Jane" });
    const ohif = await screen.findByRole("link", { name: "Open in OHIF" });
    expect(ohif).toHaveAttribute("href", "/ohif/viewer?StudyInstanceUIDs=1.2");
    for (const name of ["Upload", "Delete", "Send …"]) expect(screen.queryByRole("button", { name })).toBeNull();
    await userEvent.keyboard("{Delete}");
    expect(asked.every(({ method }) => method === "GET")).toBe(true);
  });

  it("is used by keyboard alone", async () => {
    const detail: StudyDetail = { study: study("1.3"), series: [] };
    serve({ "GET /studies/1.3": detail, "GET /studies": page([study("1.2"), study("1.3")]) });
    renderInConsole(<StudiesPage />);
    await row("Study 1.3");
    await userEvent.click(screen.getByRole("searchbox"));
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    expect(await screen.findByRole("heading", { name: "DOE, Jane" })).toBeVisible();
    expect(screen.queryByRole("link", { name: "Open in OHIF" })).toBeNull();
    expect(await row("Study 1.3")).toHaveAttribute("aria-selected", "true");
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("heading", { name: "DOE, Jane" })).toBeNull();
  });

  it("opens the study that the keyboard is on in the workstation", async () => {
    serve({ "GET /studies": page([study("1.2"), study("1.3")]) });
    const Workstation = () => <p data-testid="workstation">{useLocation().search}</p>;
    renderInConsole(
      <Routes>
        <Route path="/" element={<StudiesPage />} />
        <Route path="/workstation/new" element={<Workstation />} />
      </Routes>,
    );
    await row("Study 1.3");
    await userEvent.click(screen.getByRole("searchbox"));
    await userEvent.keyboard("{ArrowDown}{ArrowDown}o");
    expect(await screen.findByTestId("workstation")).toHaveTextContent("?study=1.3");
  });

  it("sends a single instance", async () => {
    const series = { ...SERIES, SeriesInstanceUID: "1.2.1", NumberOfSeriesRelatedInstances: 1 };
    const instance = { SOPInstanceUID: "1.2.1.1", InstanceNumber: "7", thumbnail: "", size_bytes: 5 };
    serve({
      "GET /studies/1.2/series/1.2.1": { instances: [instance], next: null },
      "GET /studies/1.2": { study: study("1.2"), series: [series] },
      "GET /studies": page([study("1.2")]),
      "GET /peers": [{ name: "PACS1", ae_title: "PACS", host: "h", port: 104, send: true }],
      "POST /sends": { id: 3 },
    });
    renderInConsole(<StudiesPage />, { at: "/?study=1.2" });
    await userEvent.click(await screen.findByText("Thorax"));
    await userEvent.click(await screen.findByLabelText("Actions for this instance"));
    await userEvent.click(await screen.findByText("Send instance …"));
    await userEvent.click(await screen.findByText("Send to PACS1"));
    await screen.findByText("Sending instance 7 to PACS1.");
    expect(asked.find(({ path }) => path === "/sends")?.body).toMatchObject({
      peer: "PACS1",
      instances: [{ study: "1.2", series: "1.2.1", instance: "1.2.1.1" }],
    });
  });

  it("anonymizes a study into another database, by the options that are chosen", async () => {
    serve({
      "GET /studies/1.2": { study: study("1.2"), series: [] },
      "GET /studies": page([study("1.2")]),
      "GET /peers": [],
      "POST /anonymizations": { id: 4 },
    });
    const session = { ...ADMINISTRATOR, databases: ["default", "research"] };
    renderInConsole(<StudiesPage />, { at: "/?study=1.2", session });
    await userEvent.click(await screen.findByText("Anonymize …"));
    await userEvent.click(await screen.findByText("PET quantities kept"));
    await userEvent.click(screen.getByLabelText(/^Patient characteristics/));
    expect(screen.getByText("Own choice")).toBeInTheDocument();
    await userEvent.click(screen.getByPlaceholderText("Pick a peer or a database"));
    await userEvent.keyboard("{ArrowDown}{Enter}");
    await userEvent.click(screen.getByText("Anonymize", { selector: "button *" }));
    await screen.findByText(/^Anonymizing the study of DOE, Jane .* into research\.$/);
    expect(asked.find(({ path }) => path === "/anonymizations")?.body).toEqual({
      studies: ["1.2"],
      options: ["shifted-dates", "device"],
      into: "research",
    });
  });
});
