import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import type { MediaProfile } from "../../../api/media";
import { ADMINISTRATOR, renderInConsole } from "../../../test/render";
import { Refusal, serviceWith } from "../../../test/service";
import type { Chosen } from "../chosen";
import { ExportMediaForm } from "./ExportMediaForm";
import { ImportMediaForm } from "./ImportMediaForm";

const CHOSEN: Chosen = { selection: { studies: ["1.2.3"] }, what: "the study of DOE, Jane", studies: 1, series: 2, instances: 20, size_bytes: 1e6 };
const CD: MediaProfile = {
  name: "STD-GEN-CD", title: "CD, uncompressed", section: "PS3.11 Annex D", medium: "120 mm CD-R", capacity_bytes: 7e8,
  sizes: [{ name: "CD-R, 80 minutes", size_bytes: 7e8 }], file_system: "ISO 9660 level 1", image: "ISO 9660 level 1",
  syntaxes: [], is_lossy_possible: false, is_every_class: true,
};
const STICK: MediaProfile = {
  ...CD, name: "STD-GEN-USB-JPEG", title: "USB stick, with JPEG", capacity_bytes: null, sizes: [], file_system: "FAT32", image: "",
  is_lossy_possible: true,
};
const PLAN = {
  profile: "STD-GEN-CD", studies: 1, objects: 20, size_bytes: 1e6, warnings: [], refusals: [], refused: 0,
  volumes: [{ number: 1, studies: 1, objects: 20, size_bytes: 1e6 }],
  conversions: [{ from_syntax: "JPEG 2000", to_syntax: "Explicit VR Little Endian", objects: 4 }],
};
const REFUSED = { ...PLAN, objects: 18, refused: 2, refusals: [{ sop_class: "Encapsulated PDF Storage", objects: 2, rule: "class", sentence: "this profile has no such class" }] };
const JOB = { id: 7, kind: "export media", state: "done", message: "20 objects, 1.0 MB, kept for a day", started_s: 1, finished_s: 2 };
const MADE = { job: JOB, form: "zip", files: [{ volume: 1, name: "radfuse-STD-GEN-CD-7-1.zip", size_bytes: 1e6 }] };
const FOLDER = { folder: "/media", path: "", name: "/media", kind: "folder", is_readable: true, is_writable: true, holds_dicomdir: false, size_bytes: 0 };
const DISC = { ...FOLDER, path: "CD1", name: "CD1", holds_dicomdir: true };

const service = (more: Parameters<typeof serviceWith>[0] = {}) =>
  serviceWith({
    "GET /api/media/profiles": [CD, STICK],
    "GET /api/media/folders": { places: [], has_more: false },
    "POST /api/media/plans": PLAN,
    "POST /api/media/exports": JOB,
    "GET /api/media/exports/7": MADE,
    ...more,
  });
const openExport = (session = ADMINISTRATOR) =>
  renderInConsole(<ExportMediaForm chosen={CHOSEN} onClose={() => undefined} />, { session });
const bodyOf = (asked: ReturnType<typeof service>, route: string) => asked.findLast((each) => each.route === route)?.body;

describe("exporting to media", () => {
  it("tells the plan, writes it, and offers the file", async () => {
    const asked = service();
    openExport();
    const plan = within(await screen.findByRole("region", { name: "Plan" }));
    await plan.findByText("1 CD, 20 objects, about 1.00 MB");
    plan.getByText("4 objects: JPEG 2000 → Explicit VR Little Endian");
    await userEvent.click(screen.getByRole("button", { name: "Make the zip file" }));
    const download = await screen.findByRole("link", { name: /^Download/ });
    expect(download).toHaveAttribute("href", "/api/media/exports/7/file?volume=1");
    expect(bodyOf(asked, "POST /api/media/exports")).toEqual({
      studies: ["1.2.3"], profile: "STD-GEN-CD", with_loss: false, medium_bytes: null, form: "zip", skip_refused: false,
    });
  });

  it("does not begin what is refused before somebody leaves it out", async () => {
    const asked = service({ "POST /api/media/plans": REFUSED });
    openExport();
    await screen.findByText(/This profile has no such class/);
    const make = screen.getByRole("button", { name: "Make the zip file" });
    expect(make).toBeDisabled();
    await userEvent.click(screen.getByRole("checkbox", { name: /Leave out the 2 objects/ }));
    await userEvent.click(make);
    await screen.findByRole("link", { name: /^Download/ });
    expect(bodyOf(asked, "POST /api/media/exports")).toMatchObject({ skip_refused: true });
  });

  it("warns of loss, which only some profiles have, and has no image of a stick", async () => {
    const asked = service();
    openExport();
    const medium = await screen.findByRole("combobox", { name: "Medium" });
    expect(screen.queryByRole("switch")).toBeNull();
    await userEvent.click(medium);
    await userEvent.click(await screen.findByRole("option", { name: /With JPEG/ }));
    await userEvent.click(await screen.findByRole("switch", { name: /with loss/ }));
    expect(screen.getByRole("alert")).toHaveTextContent(/changed for good/);
    expect(screen.getByRole("radio", { name: "Disc image" })).toBeDisabled();
    await waitFor(() => { expect(bodyOf(asked, "POST /api/media/plans")).toMatchObject({ profile: "STD-GEN-USB-JPEG", with_loss: true }); });
  });

  it("goes into a folder of the server that an administrator picks", async () => {
    const asked = service({
      "GET /api/media/folders?use=export": { places: [FOLDER], has_more: false },
      "GET /api/media/folders?use=export&folder=%2Fmedia": { places: [], has_more: false },
    });
    openExport();
    await userEvent.click(await screen.findByRole("radio", { name: "Folder on the server" }));
    expect(screen.getByRole("button", { name: "Write" })).toBeDisabled();
    await userEvent.click(await screen.findByRole("option", { name: /media/ }));
    await userEvent.click(screen.getByRole("button", { name: "Write" }));
    await waitFor(() => { expect(bodyOf(asked, "POST /api/media/exports")).toMatchObject({ form: "folder", folder: "/media", path: "" }); });
  });

  it("asks nobody but administrators for folders", async () => {
    const asked = service();
    openExport({ ...ADMINISTRATOR, role: "operator" });
    await screen.findByText("1 CD, 20 objects, about 1.00 MB");
    expect(asked.some(({ route }) => route.includes("folders"))).toBe(false);
    expect(screen.queryByRole("radio", { name: "Folder on the server" })).toBeNull();
  });

  it("says why there is no plan, and why nothing was written", async () => {
    service({ "POST /api/media/plans": new Refusal({ title: "Unprocessable", status: 422, detail: "the study needs 9 GB, a medium holds 700 MB" }) });
    const { unmount } = openExport();
    await screen.findByText(/the study needs 9 GB/i);
    expect(screen.getByRole("button", { name: "Make the zip file" })).toBeDisabled();
    unmount();
    service({ "GET /api/media/exports/7": { ...MADE, job: { ...JOB, state: "failed", message: "no space is left" }, files: [] } });
    openExport();
    await screen.findByText("1 CD, 20 objects, about 1.00 MB");
    await userEvent.click(screen.getByRole("button", { name: "Make the zip file" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("No space is left.");
  });
});

describe("importing from the server", () => {
  const REPORT = {
    taken: 20, already_there: 3, refused: 1, ignored: 2, from_before: 0,
    refused_files: [{ name: "CD1/BROKEN", reason: "it ends in the middle" }],
    findings: [{ kind: "files named by a record that are not there", count: 2 }],
    finding_sentences: ["IM000007 is not there", "IM000008 is not there"],
  };

  it("looks through folders, imports one and shows the report", async () => {
    const asked = service({
      "GET /api/media/folders?use=import": { places: [FOLDER], has_more: false },
      "GET /api/media/folders?use=import&folder=%2Fmedia": { places: [DISC], has_more: false },
      "GET /api/media/folders?use=import&folder=%2Fmedia&path=CD1": { places: [], has_more: false },
      "POST /api/media/imports": { ...JOB, kind: "import media" },
      "GET /api/media/imports/7": { job: { ...JOB, kind: "import media", message: "20 stored" }, report: REPORT },
    });
    renderInConsole(<ImportMediaForm database="" onClose={() => undefined} />);
    expect(screen.getByRole("button", { name: "Import" })).toBeDisabled();
    await userEvent.click(await screen.findByRole("option", { name: /media/ }));
    await userEvent.click(await screen.findByRole("option", { name: /CD1.*DICOMDIR/ }));
    await userEvent.click(screen.getByRole("button", { name: "Import this folder" }));
    await screen.findByText(/files named by a record that are not there/);
    expect(screen.getByText("CD1/BROKEN")).toBeInTheDocument();
    expect(bodyOf(asked, "POST /api/media/imports")).toEqual({ folder: "/media", path: "CD1" });
  });

  it("says how to allow a folder where there is none", async () => {
    service();
    renderInConsole(<ImportMediaForm database="" onClose={() => undefined} />);
    await screen.findByText(/media\.import_folders/);
  });
});
