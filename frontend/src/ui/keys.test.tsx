import { fireEvent, render } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { useAllKeys, useKeys, written, type KeyBinding } from "./keys";

function Bound({ bindings }: { bindings: readonly KeyBinding[] }) {
  useKeys(bindings);
  return <input aria-label="field" />;
}

function Listed() {
  return <ul>{useAllKeys().map((each) => <li key={each.keys}>{each.label}</li>)}</ul>;
}

function press(key: string, target: Element | Window = window, more: KeyboardEventInit = {}) {
  return fireEvent.keyDown(target, { key, ...more });
}

describe("shortcuts", () => {
  it("are written as one presses them", () => {
    const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
    expect(written({ key: "a", ...none, ctrlKey: true })).toBe("mod+a");
    expect(written({ key: "A", ...none, shiftKey: true })).toBe("shift+a");
    expect(written({ key: "?", ...none, shiftKey: true })).toBe("?");
    expect(written({ key: "ArrowDown", ...none, shiftKey: true })).toBe("shift+ArrowDown");
  });

  it("run, alone and in sequence", () => {
    const [slash, studies] = [vi.fn(), vi.fn()];
    render(
      <Bound bindings={[{ keys: "/", label: "Search", run: slash }, { keys: "g s", label: "Studies", run: studies }]} />,
    );
    expect(press("/")).toBe(false); // the browser does nothing with it
    expect(slash).toHaveBeenCalledOnce();
    press("s");
    expect(studies).not.toHaveBeenCalled();
    press("g");
    press("s");
    expect(studies).toHaveBeenCalledOnce();
  });

  it("do nothing while someone types, unless they say so", () => {
    const [letter, escape] = [vi.fn(), vi.fn()];
    const { getByLabelText } = render(
      <Bound
        bindings={[
          { keys: "s", label: "Send", run: letter },
          { keys: "Escape", label: "Clear", run: escape, whileTyping: true },
        ]}
      />,
    );
    press("s", getByLabelText("field"));
    press("Escape", getByLabelText("field"));
    expect(letter).not.toHaveBeenCalled();
    expect(escape).toHaveBeenCalledOnce();
  });

  it("do nothing behind a dialog", () => {
    const [behind, inside] = [vi.fn(), vi.fn()];
    render(
      <div role="dialog" aria-modal="true">
        <Bound bindings={[{ keys: "s", label: "Send", run: behind }, { keys: "r", label: "Reset", run: inside, inDialog: true }]} />
      </div>,
    );
    press("s");
    press("r");
    expect(behind).not.toHaveBeenCalled();
    expect(inside).toHaveBeenCalledOnce();
  });

  it("do not close the page along with the dialog over it", () => {
    const close = vi.fn();
    const { container } = render(<Bound bindings={[{ keys: "Escape", label: "Close", run: close }]} />);
    for (const cover of ['<div role="dialog" aria-modal="true"></div>', '<div role="menu"></div>']) {
      container.insertAdjacentHTML("beforeend", cover);
      const gone = () => container.lastElementChild?.remove();
      window.addEventListener("keydown", gone, { capture: true, once: true });
      press("Escape");
      expect(close).not.toHaveBeenCalled();
    }
    press("Escape");
    expect(close).toHaveBeenCalledOnce();
  });

  it("of the newest component win, and are gone with it", () => {
    const [older, newer] = [vi.fn(), vi.fn()];
    render(<Bound bindings={[{ keys: "/", label: "Old", run: older }]} />);
    const { unmount } = render(<Bound bindings={[{ keys: "/", label: "New", run: newer }]} />);
    press("/");
    expect([older.mock.calls.length, newer.mock.calls.length]).toEqual([0, 1]);
    unmount();
    press("/");
    expect(older).toHaveBeenCalledOnce();
  });

  it("always run what was rendered last", () => {
    const [first, second] = [vi.fn(), vi.fn()];
    const { rerender } = render(<Bound bindings={[{ keys: "x", label: "Do", run: first }]} />);
    rerender(<Bound bindings={[{ keys: "x", label: "Do", run: second }]} />);
    press("x");
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  });

  it("are listed for the help", () => {
    const { getByText, queryByText } = render(
      <>
        <Bound
          bindings={[
            { keys: "x", label: "Do it", run: vi.fn() },
            { keys: "y", label: "Secret", run: vi.fn(), isHidden: true },
          ]}
        />
        <Listed />
      </>,
    );
    expect(getByText("Do it")).toBeInTheDocument();
    expect(queryByText("Secret")).toBeNull();
  });
});
