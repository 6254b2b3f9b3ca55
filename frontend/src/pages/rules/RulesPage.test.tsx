import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import type { Rule } from "../../api/types";
import { ADMINISTRATOR, renderInConsole } from "../../test/render";
import { Refusal, serviceWith } from "../../test/service";
import { EMPTY_RULE, writeRule } from "./guided";
import { keepText } from "./keptTexts";
import RulesPage from "./RulesPage";

const DEFINITION = writeRule({ ...EMPTY_RULE, name: "to-pacs", modalities: ["CT"], send: ["PACS"] });
const RULE: Rule = {
  name: "to-pacs",
  is_enabled: true,
  active_since_s: 0,
  definition: DEFINITION,
  summary: "What has Modality CT goes to PACS.",
  destinations: ["PACS"],
  forgets: true,
};

afterEach(() => {
  vi.unstubAllGlobals();
  keepText("to-pacs", undefined);
});

const textField = async () => screen.findByLabelText<HTMLTextAreaElement>("The rule as TOML");

test("a rule says what it does, where it sends and that it forgets", async () => {
  serviceWith({ "GET /api/rules": [RULE] });
  renderInConsole(<RulesPage />);
  const row = (await screen.findByText(RULE.summary)).closest("tr");
  expect(within(row as HTMLElement).getByText("PACS")).toBeInTheDocument();
  expect(within(row as HTMLElement).getByText("then forgets")).toBeInTheDocument();
});

test("no rules: the page says what they are for", async () => {
  serviceWith({ "GET /api/rules": [] });
  renderInConsole(<RulesPage />);
  expect(await screen.findByText("Nothing is sent on by itself")).toBeInTheDocument();
});

test("who may not change rules finds no switch to turn and nothing to edit", async () => {
  serviceWith({ "GET /api/rules": [RULE] });
  renderInConsole(<RulesPage />, { session: { ...ADMINISTRATOR, role: "operator" }, at: "/rules?rule=to-pacs" });
  expect(await screen.findByRole("switch")).toBeDisabled();
  expect(screen.queryByText("New rule")).toBeNull();
});

test("the form writes the text, and the text fills the form", async () => {
  const user = userEvent.setup();
  const asked = serviceWith({ "GET /api/rules": [RULE], "GET /api/peers": [], "PUT /api/rules/to-pacs": RULE });
  renderInConsole(<RulesPage />, { at: "/rules?rule=to-pacs" });
  const text = await textField();
  await user.click(screen.getByLabelText("has a study description with"));
  await user.paste("HEAD");
  expect(text.value).toContain('matches = "*HEAD*"');
  await user.click(text);
  await user.clear(text);
  await user.paste(DEFINITION.replace('"CT"', '"MR"'));
  expect(screen.getByText("MR")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => {
    expect(asked.find((each) => each.route === "PUT /api/rules/to-pacs")?.body).toEqual({ definition: DEFINITION.replace('"CT"', '"MR"') });
  });
});

test("what the service refuses is shown at its line", async () => {
  const user = userEvent.setup();
  const refusal = new Refusal({ title: "Bad Request", status: 400, detail: "then.send[0]: 'PACS' is not configured", setting: "then.send[0]" });
  serviceWith({ "GET /api/rules": [RULE], "GET /api/peers": [], "POST /api/rules/rehearse": refusal });
  renderInConsole(<RulesPage />, { at: "/rules?rule=to-pacs" });
  await textField();
  await user.click(screen.getByRole("button", { name: "Rehearse" }));
  const line = DEFINITION.split("\n").findIndex((each) => each.startsWith("send")) + 1;
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent(`Line ${line}: 'PACS' is not configured.`);
});

test("a rehearsal tells what would have become of what is here", async () => {
  const user = userEvent.setup();
  const rehearsal = { matched_objects: 80, examined_objects: 113, examples: [{ study: "1.2.3", text: "80 objects to PACS" }], notes: [] };
  serviceWith({ "GET /api/rules": [RULE], "GET /api/peers": [], "POST /api/rules/rehearse": rehearsal });
  renderInConsole(<RulesPage />, { at: "/rules?rule=to-pacs" });
  await textField();
  await user.click(screen.getByRole("button", { name: "Rehearse" }));
  expect(await screen.findByText("It would have sent 80 of the 113 objects looked at.")).toBeInTheDocument();
  expect(screen.getByText("80 objects to PACS")).toBeInTheDocument();
});

test("a kept rule does not change its name", async () => {
  const user = userEvent.setup();
  const asked = serviceWith({ "GET /api/rules": [RULE], "GET /api/peers": [] });
  renderInConsole(<RulesPage />, { at: "/rules?rule=to-pacs" });
  const text = await textField();
  await user.clear(text);
  await user.click(text);
  await user.paste(DEFINITION.replace("to-pacs", "other"));
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Line 1: This is the rule to-pacs");
  expect(asked.some((each) => each.route.startsWith("PUT"))).toBe(false);
});
