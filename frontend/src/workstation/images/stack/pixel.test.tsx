import { act, fireEvent, render, screen } from "@testing-library/react";
import { createRef } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { WHOLE } from "../../../pages/studies/preview/zoom";
import { Refusal, serviceWith } from "../../../test/service";
import { newestOnly, pixelAt, valueWords } from "./pixel";
import { PixelValue, type Seen } from "./PixelValue";

const STAGE = { width: 400, height: 200 };
const IMAGE = { width: 100, height: 100 };

describe("the pixel under the pointer", () => {
  it("is told of a picture that is shown whole, and nothing beside it", () => {
    expect(pixelAt(100, 0, STAGE, IMAGE, WHOLE)).toEqual({ column: 0, row: 0 });
    expect(pixelAt(299, 199, STAGE, IMAGE, WHOLE)).toEqual({ column: 99, row: 99 });
    expect(pixelAt(99, 100, STAGE, IMAGE, WHOLE)).toBeNull();
    expect(pixelAt(300, 100, STAGE, IMAGE, WHOLE)).toBeNull();
    expect(pixelAt(0, 0, { width: 0, height: 0 }, IMAGE, WHOLE)).toBeNull();
  });

  it("follows a picture that is zoomed and moved", () => {
    const zoom = { scale: 4, x_px: 40, y_px: -16 };
    expect(pixelAt(240, 84, STAGE, IMAGE, zoom)).toEqual({ column: 50, row: 50 });
    expect(pixelAt(248, 84, STAGE, IMAGE, zoom)).toEqual({ column: 51, row: 50 });
  });
});

it("says a value with its unit, and what is none", () => {
  const words = (values: (number | null)[], unit = "", meaning: "stored" | "padding" | "colour" = "stored") => valueWords({ values, unit, meaning });
  expect(words([-1024.4], "HU")).toBe("-1024 HU");
  expect(words([12345])).toBe("12345");
  expect(words([7.5], "Bq/ml")).toBe("7.50 Bq/ml");
  expect(words([1, 2, 3], "", "colour")).toBe("RGB 1 2 3");
  expect(words([null])).toBe("no number");
  expect(words([-2000], "HU", "padding")).toBe("not measured");
});

describe("asking", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  it("asks one question at a time, ten in a second, the newest next", async () => {
    const told: string[] = [];
    const ask = newestOnly((question: number) => Promise.resolve(question * 2), (question, answer) => { told.push(`${String(question)}=${String(answer)}`); }, 100);
    for (let question = 0; question < 100; question++) {
      ask(question);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(told.length).toBeGreaterThanOrEqual(9);
    expect(told.length).toBeLessThanOrEqual(11);
    await vi.advanceTimersByTimeAsync(200);
    expect(told.at(-1)).toBe("99=198");
    ask(100);
    ask(101);
    ask(null);
    await vi.advanceTimersByTimeAsync(500);
    expect(told.at(-1)).toBe("100=200");
  });

  const SEEN: Seen = { instance: "1.2", frame: 3, rows: 100, columns: 100, database: "" };

  function scene() {
    const stage = createRef<HTMLDivElement>();
    const view = (seen: Seen | null) => <div ref={stage} data-testid="stage"><PixelValue stage={stage} zoom={WHOLE} seen={seen} /></div>;
    const { rerender } = render(view(SEEN));
    const element = screen.getByTestId("stage");
    vi.spyOn(element, "getBoundingClientRect").mockReturnValue({ left: 10, top: 20, ...STAGE } as DOMRect);
    return {
      show: (seen: Seen | null) => { rerender(view(seen)); },
      point: async (clientX: number, clientY: number) => {
        fireEvent(element, new MouseEvent("pointermove", { clientX, clientY, bubbles: true }));
        await act(() => vi.advanceTimersByTimeAsync(150));
      },
      leave: () => { fireEvent(element, new MouseEvent("pointerleave")); },
      text: () => element.textContent,
    };
  }

  it("shows what the service answers, until the pointer leaves or another picture is seen", async () => {
    const asked = serviceWith({ "GET /api/frames/1.2/value": { values: [40], unit: "HU", meaning: "rescaled" } });
    const { point, show, leave, text } = scene();
    await point(210, 120);
    expect(asked.map(({ route }) => route)).toEqual(["GET /api/frames/1.2/value?frame=3&column=50&row=50"]);
    expect(text()).toBe("50, 50: 40 HU");
    show({ ...SEEN, frame: 4 });
    expect(text()).toBe("");
    await point(212, 120);
    expect(text()).toBe("51, 50: 40 HU");
    await point(15, 120);
    expect(text()).toBe("");
    await point(210, 120);
    leave();
    expect(text()).toBe("");
    show(null);
    expect(text()).toBe("");
  });

  it("does not ask on for a picture whose values are refused", async () => {
    const asked = serviceWith({ "GET /api/frames/1.2/value": new Refusal({ title: "", status: 422, detail: "its pixels cannot be decoded" }) });
    const { point, show, text } = scene();
    await point(210, 120);
    await point(220, 120);
    expect([asked.length, text()]).toEqual([1, ""]);
    show({ ...SEEN, frame: 4 });
    await act(() => vi.advanceTimersByTimeAsync(150));
    await point(230, 120);
    expect(asked.length).toBe(2);
  });
});
