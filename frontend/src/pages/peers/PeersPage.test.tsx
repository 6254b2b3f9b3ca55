import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import { formOf, peerOf } from "./peerForm";
import PeersPage from "./PeersPage";

const PEER = {
  ...peerOf({ ...formOf(null), name: "PACS1", ae_title: "PACS", host: "10.0.0.5", port: "104" }).peer,
  may_retrieve: false,
  rules: ["night"],
  jobs_unfinished: 0,
  jobs_failed: 2,
};
const TEST = {
  is_ok: false,
  steps: [
    { name: "network", is_ok: true, text: "connected" },
    { name: "association", is_ok: false, text: "PACS1 refused the association" },
  ],
  cure: "Add our AE title there.",
  round_trip_ms: null,
};

let asked: { method: string; url: string; body: unknown }[];
let refusal: Record<string, unknown> | null;

beforeEach(() => {
  asked = [];
  refusal = null;
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => {
    const method = init?.method ?? "GET";
    asked.push({ method, url, body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined });
    if (refusal && method !== "GET") return Promise.resolve(new Response(JSON.stringify(refusal), { status: 400 }));
    const body = url.endsWith("/test") ? TEST : url.endsWith("/contexts") ? [] : method === "GET" ? [PEER] : PEER;
    return Promise.resolve(new Response(JSON.stringify(body)));
  });
});

it("a test tells its steps, the one that failed and what to do", async () => {
  renderInConsole(<PeersPage />);
  await userEvent.click(await screen.findByRole("button", { name: "Test" }));
  expect(await screen.findByText("PACS1 refused the association.")).toBeInTheDocument();
  expect(screen.getByText("Add our AE title there.")).toBeInTheDocument();
  expect(screen.getByRole("img", { name: "Failed the last test" })).toBeInTheDocument();
});

it("a card says rights in words, rules and failed jobs", async () => {
  renderInConsole(<PeersPage />);
  expect(await screen.findByRole("img", { name: "It may not retrieve from here" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Rule night" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "2 jobs failed" })).toHaveAttribute("href", "/jobs?peer=PACS1&show=failed");
});

it("an address that is pasted fills the form, and the peer is saved", async () => {
  renderInConsole(<PeersPage />);
  await userEvent.click(await screen.findByRole("button", { name: "Add peer" }));
  await userEvent.click(await screen.findByLabelText("AE title"));
  await userEvent.paste("OTHER@pacs.example.org:11112");
  const [, save] = screen.getAllByRole("button", { name: "Add peer" });
  await userEvent.click(save!);
  await waitFor(() => {
    const put = asked.find(({ method }) => method === "PUT");
    expect(put?.url).toBe("/api/peers/OTHER");
    expect(put?.body).toMatchObject({ name: "OTHER", ae_title: "OTHER", host: "pacs.example.org", port: 11112, retries: null });
  });
});

it("a refusal stands at its field, also at a folded one", async () => {
  renderInConsole(<PeersPage />);
  await userEvent.click(await screen.findByRole("button", { name: "More about PACS1" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Edit" }));
  refusal = { title: "Bad Request", status: 400, detail: "concurrency: 99 is no number of jobs at once", setting: "concurrency" };
  await userEvent.click(await screen.findByRole("button", { name: "Save" }));
  expect(await screen.findByText("99 is no number of jobs at once.")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: /Advanced/ })).toHaveAttribute("aria-expanded", "true");
});

it("a reader can neither test nor change", async () => {
  renderInConsole(<PeersPage />, { session: { ...ADMINISTRATOR, role: "reader" } });
  expect(await screen.findByText("PACS1")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Test" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Add peer" })).toBeNull();
});

it("a peer is renamed where it was", async () => {
  renderInConsole(<PeersPage />);
  await userEvent.click(await screen.findByRole("button", { name: "More about PACS1" }));
  await userEvent.click(await screen.findByText("Edit"));
  const name = await screen.findByLabelText("Name");
  await userEvent.clear(name);
  await userEvent.type(name, "ARCHIVE");
  await userEvent.click(screen.getByText("Save"));
  await waitFor(() => { expect(screen.queryByText("Edit PACS1")).toBeNull(); });
  const put = asked.find(({ method }) => method === "PUT");
  expect([put?.url, (put?.body as { name: string }).name]).toEqual(["/api/peers/PACS1", "ARCHIVE"]);
});
