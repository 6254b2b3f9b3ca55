import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { Status } from "../../api/types";
import { renderInConsole } from "../../test/render";
import { Refusal, serviceWith } from "../../test/service";
import { asText, splitAddress } from "./addresses";
import StatusPage from "./StatusPage";

const STATUS: Status = {
  version: "1.2.3",
  ae_title: "RADFUSE",
  started_s: 1_795_000_000,
  troubles: ["The job worker does not run: nothing is sent."],
  dicom_address: "192.0.2.7:11112",
  tls_address: "[2001:db8::7]:2762",
  http_address: "https://pacs.example/",
  databases: [
    { name: "default", ae_titles: ["RADFUSE"], patients: 1, studies: 2, series: 3, instances: 1234, size_bytes: 5_000_000 },
    { name: "research", ae_titles: ["TRIAL"], patients: 1, studies: 1, series: 1, instances: 766, size_bytes: 5_000_000 },
  ],
  volume: { free_bytes: 50e9, size_bytes: 100e9, reserve_bytes: 1e9 },
  arrivals: Array.from({ length: 24 }, (_, hour) => ({ hour_s: 1_795_000_000 + hour * 3600, objects: hour, size_bytes: hour * 1000 })),
  jobs: { queued: 0, running: 1, waiting: 0, paused: 0, done: 3, failed: 2, cancelled: 0 },
  worker_running: false,
  ohif: "",
};

test("troubles, addresses, sums and jobs are told", async () => {
  serviceWith({ "GET /api/status": STATUS });
  renderInConsole(<StatusPage />);
  expect(await screen.findByText(STATUS.troubles[0] ?? "")).toBeInTheDocument();
  expect(screen.getByText("192.0.2.7")).toBeInTheDocument();
  expect(screen.getByText("https://pacs.example/dicom-web")).toBeInTheDocument();
  expect(screen.getByText("2,000")).toBeInTheDocument();
  expect(screen.getByRole("link", { name: /Failed/ })).toHaveAttribute("href", "/jobs?show=failed");
  expect(screen.getByRole("meter")).toHaveAttribute("aria-valuenow", "50");
});

test("the hours of the chart are told by the arrow keys", async () => {
  const user = userEvent.setup();
  serviceWith({ "GET /api/status": STATUS });
  renderInConsole(<StatusPage />);
  const chart = await screen.findByRole("img", { name: /Objects by hour/ });
  chart.focus();
  await user.keyboard("{ArrowLeft}{ArrowLeft}");
  expect(screen.getAllByText(/: 22 objects, 22\.0 kB$/).some((each) => each.tagName === "P")).toBe(true);
});

test("no answer: the page says so and offers to try again", async () => {
  serviceWith({ "GET /api/status": new Refusal({ title: "Service Unavailable", status: 500, detail: "it is being repaired" }) });
  renderInConsole(<StatusPage />);
  expect(await screen.findByRole("button", { name: "Try again" })).toBeInTheDocument();
  expect(screen.getByText("It is being repaired.")).toBeInTheDocument();
});

test.each([
  ["RADFUSE@127.0.0.1:11112", { host: "127.0.0.1", port: "11112", isLoopback: true }],
  ["[::1]:2762", { host: "::1", port: "2762", isLoopback: true }],
  ["192.0.2.7:104", { host: "192.0.2.7", port: "104", isLoopback: false }],
  ["", null],
])("the address %j", (address, parts) => {
  expect(splitAddress(address)).toEqual(parts);
});

test("what goes to the engineer names the AE titles of every database", () => {
  expect(asText(STATUS)).toBe("AE title: RADFUSE\nHost: 192.0.2.7\nDICOM port: 11112\nDICOM port for TLS: 2762\nAE title for research: TRIAL\n");
});
