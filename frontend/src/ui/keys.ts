/** Shortcuts of the whole console: one listener, a list that `?` shows, sequences such as "g s". */
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface KeyBinding {
  /** "/", "?", "g s", "mod+a", "shift+ArrowDown", "Delete": names as in KeyboardEvent.key. */
  keys: string;
  /** What it does, as the help says it. */
  label: string;
  run: (event: KeyboardEvent) => void;
  /** A heading in the help; "This page" without one. */
  group?: string;
  /** Works while a dialog or a drawer is open, too. */
  inDialog?: boolean;
  /** Works while someone types in a field, too. */
  whileTyping?: boolean;
  /** Not in the help. */
  isHidden?: boolean;
}

interface Registered {
  bindings: readonly KeyBinding[];
}

/** What lay over the page when the key was pressed. */
type Cover = "dialog" | "popup" | null;

const DIALOG = '[role="dialog"][aria-modal="true"]';
/** What Escape closes before anything of the page. */
const POPUP = '[role="dialog"], [role="menu"], [role="listbox"]';
const SEQUENCE_MS = 1200;
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta"]);

let registered: readonly Registered[] = [];
let listeners: readonly (() => void)[] = [];
let started: { key: string; at: number } | null = null;
let cover: Cover = null;

function change(next: readonly Registered[]): void {
  if (registered.length === 0) {
    // What opens later listens later: a dialog that closes by Escape is still there when this looks.
    window.addEventListener("keydown", look, { capture: true });
    window.addEventListener("keydown", onKey);
  }
  registered = next;
  if (registered.length === 0) {
    window.removeEventListener("keydown", look, { capture: true });
    window.removeEventListener("keydown", onKey);
  }
  listeners.forEach((tell) => {
    tell();
  });
}

/** How a pressed key is written in a binding: "mod" is Ctrl, or Cmd on a Mac. */
export function written(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // For "?" and "*" the shift key is part of the character.
  const withShift = event.shiftKey && (event.key.length > 1 || key !== event.key);
  return [event.ctrlKey || event.metaKey ? "mod" : "", event.altKey ? "alt" : "", withShift ? "shift" : "", key]
    .filter(Boolean)
    .join("+");
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function look(): void {
  if (document.querySelector(DIALOG)) cover = "dialog";
  else cover = document.querySelector(POPUP) ? "popup" : null;
}

/** A dialog keeps all keys from the page behind it; a menu or a list of choices only the one that closes it. */
function isReachable(binding: KeyBinding): boolean {
  if (cover === "dialog") return binding.inDialog === true;
  return cover === null || binding.keys !== "Escape";
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || MODIFIERS.has(event.key)) return;
  const pressed = written(event);
  const previous = started && performance.now() - started.at < SEQUENCE_MS ? started.key : null;
  started = null;
  const typing = isTyping(event.target);
  // The newest registered comes first: a dialog's before its page's before the shell's.
  const usable = [...registered]
    .reverse()
    .flatMap((each) => each.bindings)
    .filter((each) => (!typing || each.whileTyping) && isReachable(each));
  const found =
    (previous && usable.find((each) => each.keys === `${previous} ${pressed}`)) ||
    usable.find((each) => each.keys === pressed);
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (usable.some((each) => each.keys.startsWith(`${pressed} `))) {
    started = { key: pressed, at: performance.now() };
  }
}

/** Shortcuts for as long as the component stands there. */
export function useKeys(bindings: readonly KeyBinding[]): void {
  const latest = useRef(bindings);
  useEffect(() => {
    latest.current = bindings;
  });
  const names = bindings.map((each) => `${each.keys}\t${each.label}\t${each.group ?? ""}`).join("\n");
  useEffect(() => {
    const mine: Registered = {
      bindings: latest.current.map((each, at) => ({
        ...each,
        run: (event) => latest.current[at]?.run(event),
      })),
    };
    change([...registered, mine]);
    return () => {
      change(registered.filter((each) => each !== mine));
    };
  }, [names]);
}

/** Everything that can be pressed now, for the help. */
export function useAllKeys(): readonly KeyBinding[] {
  const all = useSyncExternalStore(
    (tell) => {
      listeners = [...listeners, tell];
      return () => {
        listeners = listeners.filter((each) => each !== tell);
      };
    },
    () => registered,
  );
  return all.flatMap((each) => each.bindings).filter((each) => !each.isHidden);
}
