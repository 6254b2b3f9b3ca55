import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route, Routes } from "react-router-dom";
import { afterEach, expect, test, vi } from "vitest";

import type { Setting } from "../../api/types";
import { renderInConsole } from "../../test/render";
import { Refusal, serviceWith } from "../../test/service";
import { keepDraft } from "./draft";
import SettingsPage from "./SettingsPage";

function setting(key: string, value: Setting["value"], more: Partial<Setting> = {}): Setting {
  return { key, section: "", value, default: value, source: "default", kind: "text", choices: [], description: "What it is.", needs_restart: false, ...more };
}

const SETTINGS = [
  setting("ae_title", "RADFUSE"),
  setting("host", "0.0.0.0", { source: "environment", default: "127.0.0.1" }),
  setting("workers", 4, { kind: "integer", source: "file", default: 2, needs_restart: true }),
  setting("limits.pdu_s", 300, { kind: "number" }),
];

afterEach(() => {
  vi.unstubAllGlobals();
  keepDraft({});
});

function show(section: string): void {
  renderInConsole(
    <Routes>
      <Route path="/settings/:section?" element={<SettingsPage />} />
    </Routes>,
    { at: `/settings/${section}` },
  );
}

test("what the environment sets is locked and names the variable", async () => {
  serviceWith({ "GET /api/settings": SETTINGS });
  show("node");
  expect(await screen.findByLabelText("Address for DICOM")).toBeDisabled();
  expect(screen.getByText(/Set by RADFUSE_HOST/)).toBeInTheDocument();
  expect(screen.getByText("after restart")).toBeInTheDocument();
});

test("changes of several sections are saved together, in the unit of the key", async () => {
  const user = userEvent.setup();
  const asked = serviceWith({ "GET /api/settings": SETTINGS, "PUT /api/settings": SETTINGS });
  show("node");
  await user.type(await screen.findByLabelText("AE title"), "2");
  await user.click(screen.getByRole("button", { name: "Reset Node processes to default" }));
  await user.click(screen.getByRole("link", { name: /Limits/ }));
  const pdu = screen.getByLabelText("Time for one PDU");
  expect(pdu).toHaveValue("5");
  await user.clear(pdu);
  await user.type(pdu, "10");
  expect(screen.getByText(/3 changes not saved/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => {
    expect(asked.find((each) => each.route === "PUT /api/settings")?.body).toEqual({
      changes: { ae_title: "RADFUSE2", workers: null, "limits.pdu_s": 600 },
    });
  });
  await waitFor(() => {
    expect(screen.queryByText(/not saved/)).toBeNull();
  });
});

test("what is refused is told at its field, in whatever section it is", async () => {
  const user = userEvent.setup();
  const detail = "limits.pdu_s: should be greater than 0";
  serviceWith({ "GET /api/settings": SETTINGS, "PUT /api/settings": new Refusal({ title: "Bad Request", status: 400, detail, setting: "limits.pdu_s" }) });
  show("limits");
  const field = await screen.findByLabelText("Time for one PDU");
  await user.clear(field);
  await user.type(field, "-5");
  await user.click(screen.getByRole("link", { name: /This node/ }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Should be greater than 0.")).toBeInTheDocument();
});
