import { useState } from "react";

import type { ImageFacts } from "../../../pages/studies/preview/pictures";
import type { Window } from "../../../pages/studies/preview/windows";

interface ImageWindow {
  /** As it is wanted: what is told, and dragged on. */
  window: Window | null;
  /** As it is asked for: null is what the object itself says. */
  asked: Window | null;
  setWindow: (window: Window | null) => void;
  /** Tell whether the picture that was asked for is there. */
  settle: (isThere: boolean) => void;
}

/** The service windows the pictures: while one is under way no other is asked for, however fast somebody drags. */
export function useImageWindow(facts: ImageFacts | null): ImageWindow {
  const [wanted, setWindow] = useState<Window | null>(null);
  const [asked, setAsked] = useState<Window | null>(null);
  return {
    window: wanted ?? facts?.window ?? null,
    asked,
    setWindow,
    settle: (isThere) => {
      if (isThere && asked !== wanted) setAsked(wanted);
    },
  };
}
