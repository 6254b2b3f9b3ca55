import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { User } from "../../api/types";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import { Refusal, serviceWith } from "../../test/service";
import UsersPage from "./UsersPage";

const ADA: User = { name: "ada", full_name: "<b>Ada</b>", role: "administrator", is_enabled: true, created_s: 0, last_login_s: null, locked_until_s: null };

test("the first user is an administrator, and login begins", async () => {
  const user = userEvent.setup();
  const asked = serviceWith({ "GET /api/users": [], "POST /api/users": ADA });
  renderInConsole(<UsersPage />, { session: { ...ADMINISTRATOR, mode: "single-user" } });
  await user.click(await screen.findByRole("button", { name: "Add the first user" }));
  expect(await screen.findByText(/everybody must log in/)).toBeInTheDocument();
  await user.click(screen.getByRole("textbox", { name: /^Name/ }));
  await user.paste("ada");
  const password = screen.getByLabelText(/^Password/, { selector: "input" });
  await user.click(password);
  await user.paste("too short");
  const add = screen.getByRole("button", { name: "Add and go to login" });
  expect(add).toBeDisabled();
  expect(screen.getByText("1 more character")).toBeInTheDocument();
  await user.click(password);
  await user.paste(", no longer");
  await user.click(add);
  await waitFor(() => {
    expect(asked.find((each) => each.route === "POST /api/users")?.body).toEqual({
      name: "ada",
      full_name: "",
      role: "administrator",
      password: "too short, no longer",
    });
  });
});

test("a name is text, whatever stands in it; what is refused leaves the switch as it was", async () => {
  const user = userEvent.setup();
  const refusal = new Refusal({ title: "Conflict", status: 409, detail: "'ada' is the last administrator" });
  serviceWith({ "GET /api/users": [ADA], "PATCH /api/users/ada": refusal });
  renderInConsole(<UsersPage />);
  expect(await screen.findByText("<b>Ada</b>")).toBeInTheDocument();
  const mayLogIn = screen.getByRole("switch", { name: "ada may log in" });
  await user.click(mayLogIn);
  expect(await screen.findByText("'ada' is the last administrator.")).toBeInTheDocument();
  expect(mayLogIn).toBeChecked();
});

test("a reader sees only tokens, and makes none beyond a reader's; the secret is shown", async () => {
  const user = userEvent.setup();
  const token = { id: "1", name: "script", user: "rea", role: "reader", created_s: 0, expires_s: null, last_used_s: null };
  const asked = serviceWith({ "GET /api/tokens": [], "POST /api/tokens": { ...token, secret: "rf_secret" } });
  renderInConsole(<UsersPage />, { session: { ...ADMINISTRATOR, user: "rea", role: "reader" } });
  await user.click(await screen.findByRole("button", { name: "New token" }));
  expect(await screen.findByRole("radio", { name: /Reader/ })).toBeInTheDocument();
  expect(screen.queryByRole("radio", { name: /Operator/ })).toBeNull();
  await user.click(screen.getByRole("textbox", { name: /What is it for/ }));
  await user.paste("script");
  await user.click(screen.getByRole("button", { name: "Make it" }));
  expect(await screen.findByText("rf_secret")).toBeInTheDocument();
  expect(asked.find((each) => each.route === "POST /api/tokens")?.body).toEqual({ name: "script", role: "reader", days: 90 });
  expect(asked.some((each) => each.route.includes("/api/users"))).toBe(false);
});
