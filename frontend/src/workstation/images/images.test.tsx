import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";

import type { DocumentFacts } from "../../api/documents";
import type { OpeningSeries } from "../../api/workstation";
import { renderInConsole } from "../../test/render";
import { serviceWith } from "../../test/service";
import { useWorkspace } from "../model/store";
import { OPENING, openScene } from "../test/scene";
import { ImagesLayout } from "./ImagesLayout";
import { useLooking } from "./model";

const series = (uid: string, Modality: string, shows_as: OpeningSeries["shows_as"], reason = ""): OpeningSeries => ({
  SeriesInstanceUID: uid, Modality, SeriesDescription: `The ${Modality}`, instances: 1, FrameOfReferenceUID: "", shows_as, reason,
});
const SERIES = [series("1.1", "KO", "document"), series("1.2", "US", "cine", "US images are no slices of a volume"), series("1.3", "SR", "document"), series("1.4", "DOC", "document")];
const instance = (uid: string) => ({ instances: [{ SOPInstanceUID: uid, InstanceNumber: "1", sop_class_name: "A class", transfer_syntax_name: "", thumbnail: "" }], next: null });
const document = (change: Partial<DocumentFacts>): DocumentFacts => ({
  SOPInstanceUID: "9", kind: "selection", sop_class_name: "Key Object Selection", title: "Of Interest", lines: [], references: [], unlisted: 0, page: "", ...change,
});
const here = { SOPInstanceUID: "9.2", frames: [7], SeriesInstanceUID: "1.2", StudyInstanceUID: "1.2.3", Modality: "US", SeriesDescription: "The US" };

const ANSWERS = {
  "GET /api/studies/1.2.3": { study: {}, series: [] },
  "GET /api/studies/1.2.3/series/1.1": instance("9.1"),
  "GET /api/studies/1.2.3/series/1.2": instance("9.2"),
  "GET /api/studies/1.2.3/series/1.3": instance("9.3"),
  "GET /api/studies/1.2.3/series/1.4": instance("9.4"),
  "GET /api/studies/1.2.3/series/1.2/instances/9.2/attributes": [],
  "GET /api/documents/9.1": document({
    lines: [{ name: "Description", text: "for Monday" }],
    references: [here, { ...here, SOPInstanceUID: "9.9", SeriesInstanceUID: "" }],
  }),
  "GET /api/documents/9.3": document({ kind: "report", title: "A report", page: "<h1>A report</h1>" }),
  "GET /api/documents/9.4": document({ kind: "pdf", title: "A letter", SOPInstanceUID: "9.4" }),
};

beforeEach(() => {
  openScene();
  const { learn } = useWorkspace.getState();
  learn({ opening: { ...OPENING, studies: [{ ...OPENING.studies[0]!, series: SERIES }] } });
  useWorkspace.setState(({ doc }) => ({ doc: { ...doc, base: null, overlay: null, images: ["1.1"], layout: "images" } }));
  useLooking.setState({ active: "", wanted: {}, alone: "" });
});

it("lists what was picked out, and shows one of it beside the list", async () => {
  serviceWith(ANSWERS);
  renderInConsole(<ImagesLayout />);
  expect(await screen.findByText("for Monday")).toBeInTheDocument();
  expect(screen.getByText("Not in this archive")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: /frame 7/ }));
  expect(useWorkspace.getState().doc.images).toEqual(["1.1", "1.2"]);
  expect(useLooking.getState().wanted["1.2"]).toMatchObject({ instance: "9.2", frame: 7 });
  expect(await screen.findByText("US images are no slices of a volume.")).toBeInTheDocument();
});

it("shows a report in a frame that can do nothing", async () => {
  serviceWith(ANSWERS);
  renderInConsole(<ImagesLayout />);
  await userEvent.click(within(screen.getByRole("navigation", { name: "Series" })).getByTitle("The SR"));
  const frame = await screen.findByTitle<HTMLIFrameElement>("A report");
  expect(frame).toHaveAttribute("sandbox", "");
  expect(frame.srcdoc).toBe("<h1>A report</h1>");
});

it("shows a PDF, and what is beside it can be closed", async () => {
  serviceWith(ANSWERS);
  renderInConsole(<ImagesLayout />);
  await userEvent.click(screen.getByRole("button", { name: "Show The DOC beside the others" }));
  expect(await screen.findByTitle("A letter")).toHaveAttribute("src", "/api/documents/9.4/file");
  await userEvent.click(within(screen.getByRole("region", { name: "The KO" })).getByRole("button", { name: "Close" }));
  await waitFor(() => { expect(screen.queryByText("for Monday")).not.toBeInTheDocument(); });
  expect(useWorkspace.getState().doc.images).toEqual(["1.4"]);
});
