/** How the panes stand: one table for the keys, the menu and the page. */
import type { Layout } from "./state";

export type Plane = "axial" | "coronal" | "sagittal" | "oblique";
export type Role = "fused" | "base" | "overlay" | "prior";

export interface Pane {
  /** Its name within the layout; zoom and pan are kept by it. */
  id: string;
  shows: Plane | "mip";
  role: Role;
  /** A name of the layout's grid areas. */
  area: string;
}

export interface LayoutPlan {
  key: string;
  label: string;
  /** CSS grid-template: areas, rows and columns. */
  template: string;
  panes: readonly Pane[];
  needs: "base" | "overlay" | "prior" | "nothing";
}

function pane(id: string, shows: Pane["shows"], role: Role, area = id): Pane {
  return { id, shows, role, area };
}

export const LAYOUTS: Record<Layout, LayoutPlan> = {
  fused: {
    key: "1",
    label: "Fused, three planes and rotating MIP",
    template: '"axial coronal" 1fr "axial sagittal" 1fr "axial mip" 1fr / 2fr 1fr',
    panes: [
      pane("axial", "axial", "fused"),
      pane("coronal", "coronal", "fused"),
      pane("sagittal", "sagittal", "fused"),
      pane("mip", "mip", "overlay"),
    ],
    needs: "overlay",
  },
  side: {
    key: "2",
    label: "Side by side",
    template: '"base overlay fused" 1fr / 1fr 1fr 1fr',
    panes: [
      pane("base", "axial", "base"),
      pane("overlay", "axial", "overlay"),
      pane("fused", "axial", "fused"),
    ],
    needs: "overlay",
  },
  prior: {
    key: "3",
    label: "With the prior",
    template: '"axial prior-axial" 3fr "coronal prior-coronal" 2fr / 1fr 1fr',
    panes: [
      pane("axial", "axial", "fused"),
      pane("prior-axial", "axial", "prior"),
      pane("coronal", "coronal", "fused"),
      pane("prior-coronal", "coronal", "prior"),
    ],
    needs: "prior",
  },
  single: {
    key: "4",
    label: "One fused plane",
    template: '"axial" 1fr / 1fr',
    panes: [pane("axial", "axial", "fused")],
    needs: "base",
  },
  base: {
    key: "5",
    label: "The base alone, three planes",
    template: '"axial coronal" 1fr "axial sagittal" 1fr / 2fr 1fr',
    panes: [
      pane("axial", "axial", "base"),
      pane("coronal", "coronal", "base"),
      pane("sagittal", "sagittal", "base"),
    ],
    needs: "base",
  },
  images: {
    key: "6",
    label: "Images, films and documents as they are",
    // They are chosen at their side.
    template: "none",
    panes: [],
    needs: "nothing",
  },
};

export const LAYOUT_NAMES = Object.keys(LAYOUTS) as Layout[];

/** A draft may name a layout of another version. */
export function layoutOf(name: string): Layout {
  return LAYOUT_NAMES.find((each) => each === name) ?? "fused";
}

/** Why it cannot be shown now; "" where it can. */
export function layoutRefusal(layout: Layout, has: { overlay: boolean; prior: boolean }): string {
  const { needs } = LAYOUTS[layout];
  if (needs === "overlay" && !has.overlay) return "Choose an overlay first.";
  if (needs === "prior" && !has.prior) return "Choose a prior first: add a series of an earlier study.";
  return "";
}

interface Touched {
  doc: { layout: string };
  maximised: string | null;
  hover: { pane: string } | null;
}

/** Of the pane that is meant: the one that was made large, else the one under the pointer, else the first. */
export function activePlane({ doc, maximised, hover }: Touched): "axial" | "coronal" | "sagittal" {
  const { panes } = LAYOUTS[layoutOf(doc.layout)];
  const plane = (panes.find(({ id }) => id === (maximised ?? hover?.pane)) ?? panes[0])?.shows;
  return plane === "coronal" || plane === "sagittal" ? plane : "axial";
}
