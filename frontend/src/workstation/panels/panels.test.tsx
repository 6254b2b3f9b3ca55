import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import { renderInConsole } from "../../test/render";
import { serviceWith } from "../../test/service";
import { useWorkspace } from "../model/store";
import { CT, LESION, PT, facts, numbers, openScene } from "../test/scene";
import { FindingsPanel } from "./FindingsPanel";
import { NotRegistered } from "./NotRegistered";
import { ReasonBar } from "./ReasonBar";
import { SuvPanel } from "./SuvPanel";

const now = () => useWorkspace.getState();
const refuse = (sentence: string, setting: string) => { now().setProblem(PT, { status: 409, sentence, setting }); };

beforeEach(openScene);

describe("what is not registered", () => {
  it("says which two, and leads to both beside each other", async () => {
    refuse("Not registered: no path.", "registration");
    renderInConsole(<NotRegistered series={PT} />);
    expect(screen.getByRole("alert")).toHaveTextContent("CT thorax, and PET whole body: No path.");
    expect(screen.getByRole("button", { name: "Use landmarks" })).toBeEnabled();
    await userEvent.click(screen.getByRole("button", { name: "Show side by side" }));
    expect(now().doc.layout).toBe("side");
  });

  it("is not in the way of what is", () => {
    const { container } = renderInConsole(<NotRegistered series={PT} />);
    expect(container.querySelector('[role="alert"]')).toBeNull();
  });

  it.each([
    ["allow_other_patient", "I know that these are images of another patient"],
    ["allow_other_side", "I know that one shows the left, the other the right side"],
    ["allow_failed", "I know that this registration failed its check"],
  ])("asks for a deliberate yes (%s), and keeps it", async (setting, words) => {
    refuse("The two differ.", setting);
    renderInConsole(<NotRegistered series={PT} />);
    await userEvent.click(screen.getByRole("button", { name: "Show it all the same …" }));
    const dialog = within(await screen.findByRole("dialog"));
    const yes = dialog.getByRole("button", { name: "Show it all the same" });
    expect(yes).toBeDisabled();
    await userEvent.click(dialog.getByLabelText(words));
    await userEvent.click(yes);
    expect(now().doc.overlay).toMatchObject({ series: PT, [setting]: true });
    expect(now().doc.consents).toMatchObject([{ what: `${setting} ${PT}`, sentence: "The two differ.", by: "ada" }]);
  });
});

describe("the reason bar", () => {
  it("says it in words, not by its colour alone", () => {
    const { container } = renderInConsole(<ReasonBar series={PT} />);
    expect(screen.getByText("Same frame of reference")).toBeInTheDocument();
    expect(container.querySelector("[data-tone]")).toHaveAttribute("data-tone", "good");
  });
});

describe("the findings", () => {
  it("has a row a lesion, with its numbers and the sums", () => {
    now().addRegion(LESION);
    now().addRegion({ ...LESION, numbers: [numbers(PT, { max: 4.25, volume_ml: 3, tlg: 6.5 })] });
    renderInConsole(<FindingsPanel />);
    expect(screen.getByText("in SUVbw")).toBeInTheDocument();
    const rows = screen.getAllByRole("row").map((row) => row.textContent);
    expect(rows).toContain("Lesion 110.09.005.002.0010.0");
    expect(rows).toContain("Lesion 24.259.005.003.006.50");
    expect(rows.at(-1)).toBe("2 lesions5.0016.5");
  });

  it("gives no sum where a number is missing", () => {
    now().addRegion(LESION);
    now().addRegion({ ...LESION, numbers: [numbers(PT, { tlg: null, findings: ["no SUV: the weight is missing"] })] });
    renderInConsole(<FindingsPanel />);
    expect(screen.getAllByRole("row").at(-1)).toHaveTextContent("2 lesions4.00–");
    expect(screen.getByText("No SUV: the weight is missing.", { exact: false })).toBeInTheDocument();
  });

  it("leads to the hottest place, and hides outlines", async () => {
    const id = now().addRegion(LESION);
    now().select(null);
    renderInConsole(<FindingsPanel />);
    await userEvent.click(screen.getByRole("button", { name: "Lesion 1" }));
    expect(now()).toMatchObject({ selection: id, doc: { cursor_mm: [1, 2, 3] } });
    await userEvent.click(screen.getByRole("button", { name: "Hide the outline of Lesion 1" }));
    expect(now().doc.regions[0]?.is_visible).toBe(false);
  });

  it("shows the numbers of the other series at the same place", () => {
    now().addRegion({ ...LESION, numbers: [numbers(PT), numbers(CT, { mean: 39, sd: 12 })] });
    renderInConsole(<FindingsPanel />);
    expect(screen.getByText("39.0 ± 12.0")).toBeInTheDocument();
  });
});

describe("SUV", () => {
  it("says why there is none", async () => {
    serviceWith({});
    now().setFacts(PT, facts(PT, { suv_refusal: "The patient's weight is missing." }));
    renderInConsole(<SuvPanel />);
    await userEvent.click(screen.getByRole("button", { name: "SUV" }));
    expect(screen.getByText("No SUV")).toBeInTheDocument();
    expect(screen.getByText("The patient's weight is missing.")).toBeInTheDocument();
  });
});
