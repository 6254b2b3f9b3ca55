import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useState } from "react";

import type { Place } from "../../../api/studies";
import type { Attribute, Instance } from "../../../api/types";
import { useAttributes, useInstances } from "../../../pages/studies/panel/reading";
import { factsOf, pictureAddress, type ImageFacts } from "../../../pages/studies/preview/pictures";
import type { Window } from "../../../pages/studies/preview/windows";
import type { Wanted } from "../model";
import { indexOf } from "./frames";

/** Attributes are read where somebody stays, not of every picture that is scrolled over. */
const SETTLED_MS = 150;
/** The longest side that the service renders. */
const WHOLE_PX = 4096;

interface Known {
  attributes: readonly Attribute[];
  facts: ImageFacts;
  instance: string;
}

export interface Stack {
  instances: readonly Instance[];
  instance: Instance | undefined;
  /** Of the instances. */
  at: number;
  attributes: readonly Attribute[];
  facts: ImageFacts | null;
  /** Whether the facts are those of this instance, and not of the one before. */
  isKnown: boolean;
  /** Whether the row is the frames of one instance. */
  isOfFrames: boolean;
  count: number;
  now: number;
  error: unknown;
  addressOf: (place: number, window: Window | null, isWhole: boolean) => string;
  goTo: (to: number) => number;
  goToInstance: (to: number) => void;
}

/** Where one is in a series; it begins in the middle, or where somebody wants to look. */
export function useStack(place: Place, wanted: Wanted | undefined): Stack {
  const { data, error } = useInstances(place);
  const instances = data ?? NONE;
  const [chosen, setAt] = useState<number | null>(null);
  const [frame, setFrame] = useState(1);
  useWanted(wanted, instances, setAt, setFrame);
  const at = Math.min(chosen ?? Math.floor((instances.length - 1) / 2), Math.max(instances.length - 1, 0));
  const instance = instances[at];
  const { known, isUnreadable } = useKnown(place, instance);
  const facts = known?.facts ?? null;

  // Until its own attributes are read nobody knows how many frames it has.
  const isKnown = known !== null && known.instance === instance?.SOPInstanceUID;
  const isOfFrames = isKnown && known.facts.frames > 1;
  const count = isOfFrames ? (facts?.frames ?? 1) : instances.length;
  const now = isOfFrames ? Math.min(frame, count) - 1 : at;
  const goToInstance = (to: number) => {
    if (to < 0 || to >= instances.length) return;
    setFrame(1);
    setAt(to);
  };
  return {
    instances, instance, at, facts, isKnown, isOfFrames, count, now, error, goToInstance,
    attributes: known?.attributes ?? NOTHING,
    addressOf: (there, window, isWhole) => {
      const one = isOfFrames ? instance : instances[there];
      if (!one?.thumbnail || (!facts && !isUnreadable)) return "";
      return pictureAddress(one.thumbnail, isOfFrames ? there + 1 : 1, facts, window, isWhole ? WHOLE_PX : undefined);
    },
    goTo: (to) => {
      const target = Math.min(Math.max(to, 0), Math.max(count - 1, 0));
      if (isOfFrames) setFrame(target + 1);
      else setAt(target);
      return target;
    },
  };
}

const NONE: readonly Instance[] = [];
const NOTHING: readonly Attribute[] = [];

/** The last facts stay while those of the next object are read: pictures of a series are alike. */
function useKnown(place: Place, instance: Instance | undefined): { known: Known | null; isUnreadable: boolean } {
  const [asked] = useDebouncedValue(instance?.SOPInstanceUID, SETTLED_MS);
  const attributes = useAttributes({ ...place, instance: asked });
  const [known, setKnown] = useState<Known | null>(null);
  if (attributes.data && asked && known?.attributes !== attributes.data) {
    const next = { attributes: attributes.data, facts: factsOf(attributes.data), instance: asked };
    setKnown(next);
    return { known: next, isUnreadable: false };
  }
  return { known, isUnreadable: attributes.isError };
}

function useWanted(wanted: Wanted | undefined, instances: readonly Instance[], setAt: (at: number) => void, setFrame: (frame: number) => void): void {
  useEffect(() => {
    const at = wanted ? indexOf(instances, wanted.instance) : -1;
    if (!wanted || at < 0) return;
    setAt(at);
    setFrame(wanted.frame);
  }, [wanted, instances, setAt, setFrame]);
}
