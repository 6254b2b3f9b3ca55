import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router-dom";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError } from "../api/client";
import type { JobTotals, Session } from "../api/types";
import { ADMINISTRATOR, renderInConsole } from "../test/render";
import { ChangePassword, passwordTrouble } from "./ChangePassword";
import { EncryptionBanner, isLoopback } from "./EncryptionBanner";
import { grouped, keyCaps } from "./Help";
import { jobsMark, statusMark } from "./marks";
import { isAt, RAIL } from "./pages";
import { isWorthRetrying, makeQueryClient } from "./queries";
import { routes } from "./routes";
import { hasRole } from "./session";
import { initials } from "./UserMenu";

const NO_JOBS: JobTotals = { queued: 0, running: 0, waiting: 0, paused: 0, done: 0, failed: 0, cancelled: 0 };

let session: Session | null = ADMINISTRATOR;
let refusal: { status: number; detail: string } | null = null;
let refuseAll = false;
let asked: { path: string; method: string; body: string }[] = [];

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

/** The service: a session, and empty lists. */
function answer(path: string, method: string): Response {
  if (path === "/api/session") {
    if (method === "POST" && refusal) return json({ title: "No", ...refusal }, refusal.status);
    if (method === "POST") session = ADMINISTRATOR;
    if (method === "DELETE") {
      session = null;
      return new Response(null, { status: 204 });
    }
    return session ? json(session) : json({ title: "Unauthorized", status: 401, detail: "log in" }, 401);
  }
  if (refuseAll) return json({ title: "Unauthorized", status: 401, detail: "log in" }, 401);
  if (path === "/api/jobs/totals") return json({ ...NO_JOBS, failed: 2 });
  if (path === "/api/status") return json({ troubles: [] });
  return json({ title: "Not Found", status: 404, detail: "nothing here" }, 404);
}

class NoEvents extends EventTarget {
  close(): void {
    // There are none.
  }
}

beforeEach(() => {
  [session, refusal, refuseAll, asked] = [ADMINISTRATOR, null, false, []];
  vi.stubGlobal("EventSource", NoEvents);
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const path = String(input).split("?")[0] ?? "";
    const method = init?.method ?? "GET";
    asked.push({ path, method, body: typeof init?.body === "string" ? init.body : "" });
    return Promise.resolve(answer(path, method));
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function open(at: string) {
  const router = createMemoryRouter(routes, { initialEntries: [at] });
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <MantineProvider env="test">
        <RouterProvider router={router} />
      </MantineProvider>
    </QueryClientProvider>,
  );
  return router;
}

describe("the console", () => {
  it("shows the pages that the role may use, with what there is to say of them", async () => {
    session = { ...ADMINISTRATOR, role: "reader" };
    open("/nowhere");
    expect(await screen.findByRole("link", { name: "Studies" })).toBeInTheDocument();
    expect(await screen.findByRole("link", { name: "Jobs, 2 jobs failed" })).toBeInTheDocument();
    expect(screen.queryByRole("link", { name: "Users" })).toBeNull();
    expect(screen.getByText("There is no page at this address")).toBeInTheDocument();
  });

  it("asks for a login and leads back to where one was", async () => {
    session = null;
    const router = open("/nowhere?x=1");
    await userEvent.type(await screen.findByLabelText("Name"), "ada");
    await userEvent.type(screen.getByLabelText("Password"), "a long password");
    await userEvent.click(screen.getByRole("button", { name: "Log in" }));
    expect(await screen.findByText("There is no page at this address")).toBeInTheDocument();
    expect(router.state.location.pathname + router.state.location.search).toBe("/nowhere?x=1");
    expect(asked.find((each) => each.method === "POST")?.body).toBe('{"name":"ada","password":"a long password"}');
  });

  it.each([
    [401, "wrong", "The name or the password is wrong."],
    [429, "too many wrong passwords; try again in 42 s", "Too many wrong passwords; try again in 42 s."],
  ])("says why a login was refused (%d)", async (status, detail, shown) => {
    [session, refusal] = [null, { status, detail }];
    open("/login");
    await userEvent.type(await screen.findByLabelText("Name"), "ada");
    await userEvent.type(screen.getByLabelText("Password"), "wrong{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent(shown);
    expect(screen.getByLabelText("Password")).toHaveValue("");
    expect(screen.getByLabelText("Password")).toHaveFocus();
  });

  it("forgets everything at logout", async () => {
    const router = open("/nowhere");
    await userEvent.click(await screen.findByRole("button", { name: /menu$/ }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Log out" }));
    await waitFor(() => { expect(router.state.location.pathname).toBe("/login"); });
    expect(screen.queryByText(/session has ended/)).toBeNull();
    await userEvent.type(await screen.findByLabelText("Name"), "bob");
    await userEvent.type(screen.getByLabelText("Password"), "a long password{Enter}");
    await waitFor(() => { expect(router.state.location.pathname).toBe("/"); });
  });

  it("says when a session ended by itself", async () => {
    const router = open("/nowhere");
    await screen.findByRole("link", { name: "Status" });
    session = null;
    refuseAll = true;
    await userEvent.keyboard("gj");
    expect(await screen.findByText(/Your session has ended/)).toBeInTheDocument();
    expect(router.state.location.state).toMatchObject({ from: { pathname: "/jobs" } });
  });

  it("asks for the present password to change it", async () => {
    open("/nowhere");
    await userEvent.click(await screen.findByRole("button", { name: /menu$/ }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Change password…" }));
    expect(await screen.findByLabelText(/^Present password/)).toBeInTheDocument();
  });

  it("goes by keys and lists them", async () => {
    const router = open("/nowhere");
    await screen.findByRole("link", { name: "Status" });
    await userEvent.keyboard("?");
    expect(await screen.findByText("Go to Studies")).toBeInTheDocument();
    await userEvent.keyboard("{Escape}");
    await waitFor(() => { expect(screen.queryByRole("dialog")).toBeNull(); });
    await userEvent.keyboard("gt");
    await waitFor(() => { expect(router.state.location.pathname).toBe("/status"); });
  });
});

describe("the shell's parts", () => {
  it("know where one is", () => {
    expect(isAt("/", "/jobs")).toBe(false);
    expect(isAt("/jobs", "/jobs/12")).toBe(true);
    expect(isAt("/jobs", "/jobsearch")).toBe(false);
  });

  it("have a letter for each page", () => {
    const letters = RAIL.flat().map((page) => page.letter);
    expect(new Set(letters).size).toBe(letters.length);
  });

  it("show failures before work", () => {
    expect(jobsMark(NO_JOBS)).toBeUndefined();
    expect(jobsMark({ ...NO_JOBS, running: 2, queued: 1 })).toEqual({ short: "3", text: "3 jobs under way", tone: "busy" });
    expect(jobsMark({ ...NO_JOBS, running: 1, failed: 120 })).toEqual({
      short: "99+",
      text: "120 jobs failed, 1 job under way",
      tone: "bad",
    });
    expect(statusMark([])).toBeUndefined();
    expect(statusMark(["The disk is full."])?.short).toBe("1");
  });

  it("rank roles", () => {
    const operator: Session = { ...ADMINISTRATOR, role: "operator" };
    expect([hasRole(operator, "reader"), hasRole(operator, "operator"), hasRole(operator, "administrator")]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("write keys as they stand on the keyboard", () => {
    expect(keyCaps("g s")).toEqual([["G"], ["S"]]);
    expect(keyCaps("mod+ArrowDown")).toEqual([["Ctrl", "↓"]]);
    expect(keyCaps(" ")).toEqual([["Space"]]);
    const run = vi.fn();
    const found = grouped([
      { keys: "/", label: "Search in this page", group: "Everywhere", run },
      { keys: "/", label: "Search studies", run },
      { keys: "/", label: "Search patients", run },
    ]);
    expect(found.map(([name, all]) => [name, all.map((each) => each.label)])).toEqual([
      ["This page", ["Search patients"]],
      ["Everywhere", ["Search in this page"]],
    ]);
  });

  it("make initials", () => {
    expect([initials("Jane M Doe"), initials("jdoe"), initials(""), initials("山田 太郎")]).toEqual(["JD", "J", "", "山太"]);
  });

  it("ask again only where that can help", () => {
    const of = (status: number) => new ApiError({ title: "", status, detail: "" });
    expect([0, 400, 401, 404, 409, 500, 503].filter((status) => isWorthRetrying(of(status)))).toEqual([0, 503]);
  });
});

describe("the encryption banner", () => {
  it("is silent on this machine", () => {
    renderInConsole(<EncryptionBanner />, { session: { ...ADMINISTRATOR, is_encrypted: false } });
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("knows this machine's names", () => {
    expect(["localhost", "127.0.0.1", "[::1]", "pacs.localhost"].every(isLoopback)).toBe(true);
    expect(["pacs.example", "10.0.0.1", "localhost.example"].some(isLoopback)).toBe(false);
  });
});

describe("changing the password", () => {
  it("checks what can be checked here", () => {
    expect(passwordTrouble("short", "ada")).toContain("10 characters");
    expect(passwordTrouble("Administrator", "administrator")).toContain("name");
    expect(passwordTrouble("correct horse", "ada")).toBe("");
  });

  it("sends both passwords", async () => {
    const done = vi.fn();
    vi.mocked(globalThis.fetch).mockImplementation((input, init) => {
      asked.push({ path: String(input), method: init?.method ?? "", body: String(init?.body) });
      return Promise.resolve(new Response(null, { status: 204 }));
    });
    renderInConsole(<ChangePassword onDone={done} />);
    await userEvent.type(screen.getByLabelText(/^Present password/), "old password");
    await userEvent.type(screen.getByLabelText(/^New password \*|^New password$/), "new password");
    const button = screen.getByRole("button", { name: "Change password" });
    await userEvent.type(screen.getByLabelText(/^New password again/), "new passwort");
    expect(button).toBeDisabled();
    await userEvent.type(screen.getByLabelText(/^New password again/), "{Backspace}d");
    await userEvent.click(button);
    await waitFor(() => { expect(done).toHaveBeenCalledOnce(); });
    expect(asked[0]).toEqual({
      path: "/api/session/password",
      method: "PUT",
      body: '{"old_password":"old password","new_password":"new password"}',
    });
  });
});
