import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { ApiError } from "../api/client";
import { renderInConsole } from "../test/render";
import { confirmDestroy, DicomDate, Empty, ErrorBox, imagesFirst, ModalityBadge, Page, PersonName, sentence, StateBadge, STATES, Uid, undoable, When } from ".";

describe("a page", () => {
  it("has a title of its own, in the window too", () => {
    renderInConsole(<Page title="Peers" subtitle="two">content</Page>);
    expect(screen.getByRole("heading", { level: 1, name: "Peers" })).toBeInTheDocument();
    expect(document.title).toBe("Peers · Radfuse");
  });
});

describe("an error", () => {
  it("is said as a sentence, with a way to try again", async () => {
    const retry = vi.fn();
    const problem = { title: "Conflict", status: 409, detail: "the job is done" };
    renderInConsole(<ErrorBox error={new ApiError(problem)} onRetry={retry} />);
    expect(screen.getByRole("alert")).toHaveTextContent("ConflictThe job is done.");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalledOnce();
  });

  it("begins with a capital and ends with a stop, once", () => {
    expect(sentence("no room left")).toBe("No room left.");
    expect(sentence("Really?")).toBe("Really?");
    expect(sentence("")).toBe("");
  });
});

describe("values", () => {
  it("show HTML in a name as text", () => {
    renderInConsole(<PersonName value="<img src>^<b>A</b>" />);
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getByText(/<img src>/i)).toBeInTheDocument();
  });

  it("have their exact form on hover", () => {
    renderInConsole(
      <>
        <When seconds={Date.now() / 1000 - 120} />
        <DicomDate value="20260315" />
        <DicomDate value="unknown" />
      </>,
    );
    expect(screen.getByText("2 min ago")).toHaveAttribute("title");
    expect(screen.getByTitle(/Sunday.*March/)).toBeInTheDocument();
    expect(screen.getByText("unknown")).toBeInTheDocument();
  });

  it("of UIDs are copied by a click", async () => {
    const user = userEvent.setup();
    renderInConsole(<Uid value="1.2.840.113619.2.55.3.604688119.969.1268071029.320" />);
    await user.click(screen.getByRole("button"));
    expect(await navigator.clipboard.readText()).toBe("1.2.840.113619.2.55.3.604688119.969.1268071029.320");
  });
});

describe("badges", () => {
  it("say every state in a word", () => {
    const states = Object.keys(STATES) as (keyof typeof STATES)[];
    renderInConsole(states.map((state) => <StateBadge key={state} state={state} />));
    for (const state of states) expect(screen.getByText(STATES[state].word)).toBeInTheDocument();
  });

  it("of modalities put images before what was made of them", () => {
    expect(imagesFirst(["CT", "DOC", "KO", "MR", "OT", "PT", "XYZ"])).toEqual(["CT", "MR", "PT", "XYZ", "DOC", "KO", "OT"]);
  });

  it("name modalities that nobody knows, too", () => {
    renderInConsole([<ModalityBadge key="1" modality="PT" />, <ModalityBadge key="2" modality="XYZ" />]);
    expect(screen.getByText("PT")).toHaveAttribute("title", "Positron emission tomography");
    expect(screen.getByText("XYZ")).toHaveAttribute("title", "XYZ");
  });

  it("of an empty list say how to fill it", () => {
    renderInConsole(<Empty title="No peers yet">Add one.</Empty>);
    expect(screen.getByText("Add one.")).toBeInTheDocument();
  });
});

describe("destroying", () => {
  it("needs the word, and happens once", async () => {
    const destroy = vi.fn().mockResolvedValue(undefined);
    const user = userEvent.setup();
    renderInConsole(<p>page</p>);
    confirmDestroy({ title: "Delete user", text: "It is gone.", word: "jdoe", onConfirm: destroy });
    const button = await screen.findByRole("button", { name: "Delete" });
    expect(button).toBeDisabled();
    await user.type(screen.getByRole("textbox"), "jdoe");
    await user.click(button);
    expect(destroy).toHaveBeenCalledOnce();
    await waitFor(() => { expect(screen.queryByRole("dialog")).toBeNull(); });
  });

  it("that is refused says why, and can be left", async () => {
    const user = userEvent.setup();
    renderInConsole(<p>page</p>);
    const refusal = new ApiError({ title: "Conflict", status: 409, detail: "it is the last administrator" });
    confirmDestroy({ title: "Delete user", text: "It is gone.", onConfirm: () => Promise.reject(refusal) });
    await user.click(await screen.findByRole("button", { name: "Delete" }));
    expect(await screen.findByText("It is the last administrator.")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await waitFor(() => { expect(screen.queryByRole("dialog")).toBeNull(); });
  });
});

describe("undo", () => {
  it("is offered for its time and takes back", async () => {
    const undo = vi.fn().mockResolvedValue(undefined);
    renderInConsole(<p>page</p>);
    undoable({ message: "2 studies deleted.", undo, seconds: 30 });
    await userEvent.click(await screen.findByRole("button", { name: /Undo \((29|30) s\)/ }));
    expect(undo).toHaveBeenCalledOnce();
    expect(await screen.findByText("Taken back.")).toBeInTheDocument();
  });
});
