import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route, Routes } from "react-router-dom";
import { beforeEach, expect, it, vi } from "vitest";

import type { Job } from "../../api/types";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import JobsPage from "./JobsPage";

vi.mock("@tanstack/react-virtual", () => import("../../test/virtual"));

const FAILED: Job = {
  id: 6,
  kind: "send",
  lane: "PACS1",
  title: "44 objects to PACS1",
  peer: "PACS1",
  state: "failed",
  priority: 5,
  attempt: 1,
  retries: 0,
  created_s: 1000,
  started_s: 1001,
  finished_s: 1002,
  next_attempt_s: null,
  message: "PACS1 refused the association: it does not know our AE title. Add it there.",
  pending: 43,
  sent: 0,
  warned: 0,
  failed: 1,
  actions: ["retry"],
};
const ITEM = { number: 1, name: "1.2.3", state: "failed", status: "A700", meaning: "out of resources", comment: "<b>full</b>", changed_s: 1002 };

let asked: { method: string; url: string }[];

function answer(url: string): unknown {
  if (url.startsWith("/api/jobs/totals")) return { queued: 0, running: 0, waiting: 0, paused: 0, done: 0, failed: 1, cancelled: 0 };
  if (url.includes("/items")) return { items: [ITEM], has_more: false };
  if (/\/jobs\/6/.test(url)) return url.endsWith("/retry") ? { ...FAILED, state: "queued", actions: ["cancel"] } : FAILED;
  return { jobs: [FAILED], has_more: false };
}

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => {
    asked.push({ method: init?.method ?? "GET", url });
    return Promise.resolve(new Response(JSON.stringify(answer(url))));
  });
});

function page(at: string, role = ADMINISTRATOR.role) {
  const routes = (
    <Routes>
      <Route path="/jobs/:id?" element={<JobsPage />} />
    </Routes>
  );
  return renderInConsole(routes, { at, session: { ...ADMINISTRATOR, role } });
}

it("a failed job says what to do, and opens to its instances by the keyboard", async () => {
  page("/jobs");
  expect(await screen.findByText(/does not know our AE title. Add it there./)).toBeVisible();
  screen.getByRole("grid", { name: "Jobs" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByText("out of resources: <b>full</b>")).toBeInTheDocument();
  expect(screen.getByText("A700")).toBeInTheDocument();
});

it("retries the job under the cursor with a key", async () => {
  page("/jobs/6");
  await screen.findByRole("button", { name: "Retry" });
  await userEvent.keyboard("r");
  await waitFor(() => {
    expect(asked).toContainEqual({ method: "POST", url: "/api/jobs/6/retry" });
  });
});

it("all failed jobs of a list can be retried at once", async () => {
  page("/jobs?show=failed");
  await userEvent.click(await screen.findByRole("button", { name: "Retry all 1" }));
  await waitFor(() => {
    expect(asked).toContainEqual({ method: "POST", url: "/api/jobs/6/retry" });
  });
  expect(asked.some(({ url }) => url.startsWith("/api/jobs?state=failed"))).toBe(true);
});

it("a reader sees jobs and can do nothing to them", async () => {
  page("/jobs/6?show=failed", "reader");
  expect(await screen.findByText("A700")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: /Retry/ })).toBeNull();
  await userEvent.keyboard("r");
  expect(asked.every(({ method }) => method === "GET")).toBe(true);
});
