import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";

import { renderInConsole } from "../../test/render";
import { Refusal, serviceWith } from "../../test/service";
import { useWorkspace } from "../model/store";
import { LESION, PT, openScene } from "../test/scene";
import { ExportSheet } from "./ExportSheet";
import { NO_OPTIONS, offersOf, usual, withOptions } from "./offers";
import { overlayOf, pictureOf, wholeRange } from "./pictures";

const now = () => useWorkspace.getState();
const JOB = { id: 7, kind: "export", state: "done", message: "1 object made and kept in the archive" };
const PLAN = { objects: [{ item: 0, label: "1 region", object: "Segmentation", count: 1, bytes: 5000, refusal: "" }] };

beforeEach(openScene);

describe("what is offered", () => {
  it("is what is open; regions, numbers and the report are chosen", () => {
    now().addRegion(LESION);
    const offers = offersOf(now());
    expect(usual(offers)).toEqual(["seg", "numbers", "report"]);
    expect(offers.map(({ label }) => label)).toContain("PET whole body: resampled on CT thorax");
    expect(new Set(offers.map(({ key }) => key)).size).toBe(offers.length);
  });

  it("has no fused picture where the two are not aligned", () => {
    const { facts } = now();
    const pet = facts[PT];
    expect(overlayOf(now()).overlay?.series).toBe(PT);
    if (pet) now().setFacts(PT, { ...pet, alignment: { ...pet.alignment, kind: "base" } });
    expect(overlayOf(now())).toEqual({});
    expect(offersOf(now()).map(({ key }) => key)).not.toContain("rotating fused");
  });

  it("shows what is on the screen: windows, the plane through the crosshair, all of the base", () => {
    now().setCursor([10, 20, 30]);
    const picture = pictureOf(now(), "axial");
    expect(picture?.base_window).toEqual({ low: -160, high: 240 });
    expect(picture?.plane.centre_mm[2]).toBeCloseTo(30);
    expect((picture?.plane.spacing_mm ?? 0) * 512).toBeGreaterThan(128 * 4);
    expect(wholeRange(now(), "axial")).toEqual({ axis: "axial", from_mm: 156, to_mm: 0, step_mm: 4 });
  });
});

describe("what is said of it", () => {
  const chosen = (isAnnotated: boolean) => {
    now().addRegion(LESION);
    return offersOf(now()).map(({ item }) => withOptions(item, { isAnnotated, title: " ", text: " Stable disease. " }));
  };

  it("the report has the reader's words, and a title in any case", () => {
    expect(chosen(false).find(({ kind }) => kind === "report")).toMatchObject({ title: NO_OPTIONS.title, text: "Stable disease." });
  });

  it("is written on all pictures, and on nothing where nobody wants it", () => {
    expect(JSON.stringify(chosen(false))).not.toContain("annotate");
    expect(chosen(true).find(({ kind }) => kind === "snapshot")).toMatchObject({ annotate: true });
    expect(chosen(true).find(({ kind }) => kind === "report")).toMatchObject({ pictures: [{ picture: { annotate: true } }] });
    expect(chosen(true).find(({ kind }) => kind === "cine")).toMatchObject({ pictures: [{ annotate: true }] });
  });

  it("what is registered is carried on its own voxels as well", () => {
    const pet = now().facts[PT];
    const keys = () => offersOf(now()).map(({ key }) => key);
    expect(keys()).not.toContain(`own ${PT}`);
    if (pet) now().setFacts(PT, { ...pet, alignment: { ...pet.alignment, kind: "registered" } });
    expect(keys()).toContain(`own ${PT}`);
  });
});

describe("the sheet", () => {
  it("tells the objects before anything is made, and follows the job", async () => {
    now().addRegion(LESION);
    const asked = serviceWith({ "POST /api/exports/plan": PLAN, "POST /api/exports": JOB, "GET /api/peers": [], "GET /api/jobs/7": JOB, "PUT /api/workspaces/w1": { revision: 2 } });
    renderInConsole(<ExportSheet close={() => undefined} />);
    const table = within(await screen.findByRole("table", { name: "What will be made" }));
    await table.findByText("Segmentation");
    await userEvent.type(screen.getByRole("textbox", { name: "Report in your own words" }), "Stable");
    await waitFor(() => { expect(asked.at(-1)?.body).toMatchObject({ items: [{}, {}, { text: "Stable" }] }); }, { timeout: 3000 });
    await userEvent.click(await screen.findByRole("button", { name: "Export 1 object" }));
    await screen.findByText("1 object made and kept in the archive");
    const sent = asked.find(({ route }) => route === "POST /api/exports")?.body;
    expect(sent).not.toHaveProperty("database");
    expect(sent).toMatchObject({ workspace: "w1", to: { archive: true }, items: [{ kind: "regions", as: "SEG" }, { kind: "numbers" }, { kind: "report", text: "Stable" }] });
  });

  it("does not begin what cannot be made", async () => {
    now().addRegion(LESION);
    const refused = { ...PLAN.objects[0], object: "", count: 0, refusal: "not registered: no path" };
    serviceWith({ "POST /api/exports/plan": { objects: [refused] }, "GET /api/peers": [], "PUT /api/workspaces/w1": { revision: 2 } });
    renderInConsole(<ExportSheet close={() => undefined} />);
    await screen.findByText(/not registered: no path/);
    expect(screen.getByRole("button", { name: "Export" })).toBeDisabled();
  });

  it("says why it cannot be told", async () => {
    now().addRegion(LESION);
    const problem = { title: "Bad", status: 400, detail: "the draft has no such region" };
    serviceWith({ "POST /api/exports/plan": new Refusal(problem), "GET /api/peers": [], "PUT /api/workspaces/w1": { revision: 2 } });
    renderInConsole(<ExportSheet close={() => undefined} />);
    await waitFor(() => { expect(screen.getByText(/no such region/)).toBeInTheDocument(); });
    expect(screen.getByRole("button", { name: "Export" })).toBeDisabled();
  });
});
