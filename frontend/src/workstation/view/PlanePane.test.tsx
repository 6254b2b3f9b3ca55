import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { VolumeFacts } from "../../api/workstation";
import { renderInConsole as render } from "../../test/render";
import { viewOf } from "../model/document";
import { NOTHING, useWorkspace } from "../model/store";
import { PlanePane } from "./PlanePane";

const FACTS = {
  id: "1", SeriesInstanceUID: "ct", SeriesDescription: "Thorax", Modality: "CT", FrameOfReferenceUID: "1.2", unit: "HU",
  alignment: { kind: "base" }, shape: [11, 64, 64], origin_mm: [0, 0, -25], spacing_mm: [2, 2, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], window: { low: -160, high: 240 }, colours: "gray", levels: [],
} as unknown as VolumeFacts; // prettier-ignore

beforeEach(() => {
  // A pane of a size, in a page that has neither sizes nor a graphics card.
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(500);
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  useWorkspace.setState({ ...NOTHING, doc: { ...NOTHING.doc, base: viewOf("ct"), overlay: viewOf("mr") } });
  useWorkspace.getState().setFacts("ct", FACTS);
});

afterEach(() => { useWorkspace.setState(NOTHING); });

it("a pane says which side is which, what is shown, and how bright", () => {
  render(<PlanePane pane="axial" plane="axial" role="base" />);
  for (const words of ["A", "P", "R", "L", "Thorax", "W 400 L 40", "0.0 mm"]) expect(screen.getByText(words)).toBeVisible();
});

it("a browser that cannot draw is told what to do", () => {
  render(<PlanePane pane="axial" plane="axial" role="base" />);
  expect(screen.getByRole("alert")).toHaveTextContent("Allow hardware acceleration in its settings");
});

it("what is not registered is not laid over, and the bar below stays", () => {
  useWorkspace.getState().setProblem("mr", { status: 409, sentence: "No registration leads there.", setting: "registration" });
  render(<PlanePane pane="axial" plane="axial" role="fused" />);
  expect(screen.getByRole("heading", { name: "Not registered" })).toBeVisible();
  expect(screen.getAllByText(/No registration leads there/).length).toBeGreaterThan(1);
});

it("the wheel and the keys go from slice to slice", () => {
  render(<PlanePane pane="axial" plane="axial" role="base" />);
  const box = document.querySelector("[data-pane=axial] [tabindex]") as HTMLElement;
  fireEvent.wheel(box, { deltaY: 100 });
  expect(useWorkspace.getState().doc.cursor_mm?.[2]).toBe(-5);
  fireEvent.keyDown(box, { key: "PageUp" });
  expect(screen.getByText("H 25.0 mm")).toBeVisible();
});

it("a drag of a line's end turns the other planes, and undo makes them straight", () => {
  useWorkspace.getState().setCursor([63, 63, 0]);
  render(<><PlanePane pane="axial" plane="axial" role="base" /><PlanePane pane="coronal" plane="coronal" role="base" /></>);
  const [knob] = document.querySelectorAll("[data-pane=axial] [class*=knob]");
  const from = { clientX: Number(knob?.getAttribute("cx")), clientY: Number(knob?.getAttribute("cy")) };
  const handle = knob?.parentElement as unknown as SVGGElement;
  handle.setPointerCapture = () => undefined;
  fireEvent.pointerDown(handle, { ...from, button: 0, pointerId: 1 });
  // The crosshair is in the middle, at 300, 250: from its left end 45 degrees clockwise.
  fireEvent.pointerMove(handle, { clientX: 100, clientY: 50, pointerId: 1 });
  fireEvent.pointerUp(handle, { clientX: 100, clientY: 50, pointerId: 1 });
  expect(screen.getByText("● oblique 45°")).toBeVisible();
  const { doc, undo } = useWorkspace.getState();
  expect(doc.plane_turn?.[0]).toBeCloseTo(Math.SQRT1_2, 9);
  expect(doc.plane_turn?.[1]).toBeCloseTo(Math.SQRT1_2, 9);
  expect(doc.cursor_mm).toEqual([63, 63, 0]);
  act(undo);
  expect(useWorkspace.getState().doc.plane_turn).toBeNull();
  expect(screen.queryByText(/oblique/)).toBeNull();
});

it("the arrow keys on a line's end turn the other planes, and no slice", () => {
  useWorkspace.getState().setCursor([63, 63, 0]);
  render(<><PlanePane pane="axial" plane="axial" role="base" /><PlanePane pane="coronal" plane="coronal" role="base" /></>);
  const [lying] = screen.getAllByRole("slider", { name: "Turn the other two planes: the lying line" });
  expect(lying).toHaveAttribute("tabindex", "0");
  fireEvent.keyDown(lying as Element, { key: "ArrowRight", shiftKey: true });
  fireEvent.keyDown(lying as Element, { key: "ArrowUp" });
  expect(screen.getByText("● oblique 6°")).toBeVisible();
  expect(lying).toHaveAttribute("aria-valuetext", "6°");
  for (let times = 0; times < 6; times++) fireEvent.keyDown(lying as Element, { key: "ArrowLeft" });
  const { doc } = useWorkspace.getState();
  expect([doc.plane_turn, doc.cursor_mm]).toEqual([null, [63, 63, 0]]);
});

it("a double click fills the room with the pane, and gives it back", () => {
  render(<PlanePane pane="axial" plane="axial" role="base" />);
  const box = document.querySelector("[data-pane=axial] [tabindex]") as HTMLElement;
  fireEvent.doubleClick(box);
  expect(useWorkspace.getState().maximised).toBe("axial");
  fireEvent.doubleClick(box);
  expect(useWorkspace.getState().maximised).toBeNull();
});
