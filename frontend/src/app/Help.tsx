import { Kbd } from "@mantine/core";
import { modals } from "@mantine/modals";

import { useAllKeys, type KeyBinding } from "../ui/keys";
import styles from "./shell.module.css";

const MODAL = "radfuse-help";
const HERE = "This page";

export function openHelp(): void {
  modals.open({ modalId: MODAL, title: "Keyboard shortcuts", size: "lg", children: <Shortcuts /> });
}

const WORDS: Record<string, string> = {
  mod: /mac/i.test(navigator.userAgent) ? "⌘" : "Ctrl",
  shift: "Shift",
  alt: "Alt",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  Delete: "Del",
  " ": "Space",
};

/** "g s" -> one key after the other; "mod+a" -> both at once. */
export function keyCaps(keys: string): string[][] {
  const steps = keys === " " ? [" "] : keys.split(" ");
  return steps.map((step) => step.split("+").map((key) => WORDS[key] ?? (key.length === 1 ? key.toUpperCase() : key)));
}

export function grouped(all: readonly KeyBinding[]): [string, KeyBinding[]][] {
  const groups = new Map<string, KeyBinding[]>();
  for (const each of all) {
    const name = each.group ?? HERE;
    const known = groups.get(name) ?? [];
    // Two keys for the same thing stand in one line each; the same key twice is the newer one's.
    groups.set(name, [...known.filter((other) => other.keys !== each.keys), each]);
  }
  return [...groups].reverse();
}

function Shortcuts() {
  return (
    <div className={styles.shortcuts}>
      {grouped(useAllKeys()).map(([name, bindings]) => (
        <section key={name}>
          <h3 className={styles.shortcutsTitle}>{name}</h3>
          <dl className={styles.shortcutList}>
            {bindings.map(({ keys, label }) => (
              <div key={keys} className={styles.shortcut}>
                <dt>
                  {keyCaps(keys).map((caps, at) => (
                    <span key={at} className={styles.caps}>
                      {caps.map((cap) => (
                        <Kbd key={cap} size="sm">
                          {cap}
                        </Kbd>
                      ))}
                    </span>
                  ))}
                </dt>
                <dd>{label}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
