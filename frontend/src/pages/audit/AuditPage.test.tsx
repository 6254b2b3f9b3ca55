import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { renderInConsole } from "../../test/render";
import { serviceWith } from "../../test/service";
import AuditPage from "./AuditPage";
import { filterOf, filterText, parametersOf } from "./filter";

const NOTHING = { entries: [], has_more: false };

test("a filter stands in the address and in what is asked", async () => {
  const user = userEvent.setup();
  const asked = serviceWith({ "GET /api/users": [], "GET /api/audit": NOTHING });
  renderInConsole(<AuditPage />, { at: "/audit?study=1.2.3&outcome=refused" });
  expect(await screen.findByText("Nothing of that kind is in the log")).toBeInTheDocument();
  expect(asked.at(-1)?.route).toContain("outcome=refused&study=1.2.3");
  await user.click(screen.getByRole("button", { name: "Show all" }));
  await waitFor(() => {
    expect(asked.at(-1)?.route).toBe("GET /api/audit?limit=100");
  });
});

test("both days are included, in the reader's time zone", () => {
  const filter = filterText(new URLSearchParams("from=2026-03-28&to=2026-03-29&user=ada"));
  const { from_s, until_s } = filterOf(filter);
  expect(new Date((from_s ?? 0) * 1000).getHours()).toBe(0);
  expect(new Date((until_s ?? 0) * 1000).getDate()).toBe(30);
  expect(parametersOf(filter)).toEqual({ from: "2026-03-28", to: "2026-03-29", user: "ada" });
});

test("what is no day and no outcome is not asked for", () => {
  const filter = filterText(new URLSearchParams("from=yesterday&outcome=odd"));
  expect(filterOf(filter)).toMatchObject({ from_s: null, until_s: null, outcome: "" });
});
