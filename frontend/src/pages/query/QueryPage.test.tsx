import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import type { QueryLine } from "../../api/types";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import QueryPage from "./QueryPage";

vi.mock("@tanstack/react-virtual", () => import("../../test/virtual"));

const PEER = { name: "PACS1", ae_title: "PACS", host: "10.0.0.5", port: 104, query: true, retrieve: true };
const STUDY = { StudyInstanceUID: "1.2", PatientName: "DOE^<i>JANE</i>", NumberOfStudyRelatedInstances: "240", ModalitiesInStudy: "CT\\PT" };
const JOB = { id: 7, kind: "retrieve", state: "running", message: "120 of 240", sent: 0, warned: 0, failed: 0, pending: 1, actions: [] };

/** A stream of lines that the test writes. */
class Answer {
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  isCancelled = false;
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      this.controller = controller;
    },
    cancel: () => {
      this.isCancelled = true;
    },
  });

  tell(line: QueryLine): void {
    this.controller?.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    if (!("answer" in line)) this.controller?.close();
  }
}

let answer: Answer;
let asked: { url: string; body: unknown; signal?: AbortSignal | null }[];

beforeEach(() => {
  answer = new Answer();
  asked = [];
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => {
    asked.push({ url, body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined, signal: init?.signal });
    if (url.endsWith("/query")) return Promise.resolve(new Response(answer.body));
    const told = url.endsWith("/peers") ? [PEER] : url.startsWith("/api/studies") ? { instances: 100 } : JOB;
    return Promise.resolve(new Response(JSON.stringify(told)));
  });
});

async function search(): Promise<void> {
  await userEvent.type(await screen.findByLabelText("Patient name"), "doe, ja{Enter}");
}

it("answers are shown as they come, with what is here already; names are text", async () => {
  renderInConsole(<QueryPage />);
  await search();
  expect(asked.find(({ url }) => url === "/api/peers/PACS1/query")?.body).toMatchObject({ level: "study", keys: { PatientName: "doe*^ja*" } });
  answer.tell({ answer: STUDY });
  expect(await screen.findByText(/<i>JANE<\/i>/)).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Stop" })).toBeInTheDocument();
  expect(await screen.findByText("100 of 240")).toBeInTheDocument();
  answer.tell({ end: { count: 1, is_limited: true } });
  expect(await screen.findByText(/there are more/)).toBeInTheDocument();
});

it("Stop ends the query and keeps what has come", async () => {
  renderInConsole(<QueryPage />);
  await search();
  answer.tell({ answer: STUDY });
  await screen.findByText("240");
  await userEvent.click(screen.getByRole("button", { name: "Stop" }));
  expect(await screen.findByText(/Stopped: 1 study/)).toBeInTheDocument();
  expect(asked.find(({ url }) => url.endsWith("/query"))?.signal?.aborted).toBe(true);
  expect(screen.getByText("240")).toBeInTheDocument();
});

it("a peer that fails is told of with the cure, beside what it answered before", async () => {
  renderInConsole(<QueryPage />);
  await search();
  answer.tell({ answer: STUDY });
  answer.tell({ problem: { title: "Bad Gateway", status: 502, detail: "PACS1 aborted the association. Its log says why." } });
  expect(await screen.findByText("PACS1 aborted the association. Its log says why.")).toBeInTheDocument();
  expect(screen.getByText("240")).toBeInTheDocument();
});

it("what is retrieved shows how its job goes", async () => {
  renderInConsole(<QueryPage />);
  await search();
  answer.tell({ answer: STUDY });
  answer.tell({ end: { count: 1, is_limited: false } });
  await userEvent.click(await screen.findByRole("button", { name: "Retrieve this study" }));
  await waitFor(() => {
    expect(asked.find(({ url }) => url === "/api/retrievals")?.body).toEqual({ peer: "PACS1", level: "study", names: ["1.2"] });
  });
  expect(await screen.findByRole("link", { name: /120 of 240/ })).toHaveAttribute("href", "/jobs/7");
});

it("a reader may not retrieve", async () => {
  renderInConsole(<QueryPage />, { session: { ...ADMINISTRATOR, role: "reader" } });
  await search();
  answer.tell({ answer: STUDY });
  answer.tell({ end: { count: 1, is_limited: false } });
  await screen.findByText("1 study at PACS1", { exact: false });
  expect(screen.queryByRole("button", { name: /Retrieve/ })).toBeNull();
});
