import type { Dispatch, SetStateAction } from "react";

import { useKeys, type KeyBinding } from "../../../ui";
import { faster } from "./frames";

interface StackActions {
  step: (by: number) => void;
  goTo: (to: number) => void;
  last: number;
  goToInstance: (by: number) => void;
  play: () => void;
  setSpeed: Dispatch<SetStateAction<number>>;
  zoomBy: (factor: number) => void;
  reset: () => void;
}

/** Of the tile that was touched last; they come before those of the workstation. */
export function useStackKeys(isActive: boolean, { step, goTo, last, goToInstance, play, setSpeed, zoomBy, reset }: StackActions): void {
  const key = (keys: string, label: string, run: () => void): KeyBinding => ({ keys, label, run, group: "Images" });
  const all = [
    key("ArrowDown", "Next picture", () => { step(1); }),
    key("ArrowUp", "Picture before", () => { step(-1); }),
    key("ArrowRight", "Next clip or image", () => { goToInstance(1); }),
    key("ArrowLeft", "Clip or image before", () => { goToInstance(-1); }),
    key("PageDown", "Ten on", () => { step(10); }),
    key("PageUp", "Ten back", () => { step(-10); }),
    key("Home", "First picture", () => { goTo(0); }),
    key("End", "Last picture", () => { goTo(last); }),
    key(" ", "Play or stop", play),
    key(".", "Play faster", () => { setSpeed((now) => faster(now, 1)); }),
    key(",", "Play slower", () => { setSpeed((now) => faster(now, -1)); }),
    key("+", "Larger", () => { zoomBy(1.25); }),
    key("-", "Smaller", () => { zoomBy(0.8); }),
    key("0", "All of the picture", reset),
  ];
  useKeys(isActive ? all : []);
}
