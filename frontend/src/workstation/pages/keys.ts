/** The keyboard of the workstation: one table, told by `?`. */
import { openHelp } from "../../app/Help";
import { useKeys, type KeyBinding } from "../../ui/keys";
import { LAYOUTS, LAYOUT_NAMES, layoutRefusal } from "../model/layouts";
import type { WorkspaceStore } from "../model/state";
import { useWorkspace } from "../model/store";
import { TOOLS } from "../model/tools";
import type { Mode } from "../../api/workstation";
import { notifications } from "@mantine/notifications";
import { openExport } from "../exporting/ExportSheet";
import { openSave } from "../sessions/SaveSession";
import { openRegistering } from "../registering/actions";

const now = (): WorkspaceStore => useWorkspace.getState();

/** On, or back to the blend. */
function toggleMode(mode: Mode): void {
  const { doc, setMode } = now();
  if (doc.overlay) setMode(doc.mode === mode ? "blend" : mode);
}

function tell(message: string): void {
  notifications.show({ message, autoClose: 3000 });
}

function layoutKeys(): KeyBinding[] {
  return LAYOUT_NAMES.map((layout) => ({
    keys: LAYOUTS[layout].key,
    label: LAYOUTS[layout].label,
    group: "Layouts",
    run: () => {
      const { doc, setLayout } = now();
      const refusal = layoutRefusal(layout, { overlay: doc.overlay !== null, prior: doc.prior !== null });
      if (refusal) tell(refusal);
      else setLayout(layout);
    },
  }));
}

function toolKeys(): KeyBinding[] {
  return TOOLS.flat().map(({ tool, label, key }) => ({
    keys: key,
    label,
    group: "Tools",
    run: () => { now().setTool(tool); },
  }));
}

function deleteSelected(): void {
  const { selection, doc, removeRegion, removeLine, select } = now();
  if (!selection) return;
  if (doc.regions.some((region) => region.id === selection)) removeRegion(selection);
  else removeLine(selection);
  select(null);
}

function bookmark(): void {
  now().addBookmark();
  tell("This view is kept as a bookmark.");
}

function escape(): void {
  const { maximised, maximise, select, setTool } = now();
  if (maximised) maximise(null);
  else {
    select(null);
    setTool("window");
  }
}

function blendBy(step: number): void {
  const { doc, setBlend } = now();
  setBlend(doc.blend + step);
}

function straighten(): void {
  const { doc, setPlaneTurn } = now();
  if (doc.plane_turn) setPlaneTurn(null);
}

const SEEING: KeyBinding[] = [
  { keys: " ", label: "Hide or show the overlay", run: () => { now().hideOverlay(!now().is_overlay_hidden); } },
  { keys: "f", label: "Flip base and overlay", run: () => { now().flip(); } },
  { keys: "c", label: "Checkerboard", run: () => { toggleMode("checkerboard"); } },
  { keys: "s", label: "Spyglass under the pointer", run: () => { toggleMode("spyglass"); } },
  { keys: "x", label: "Crosshair", run: () => { now().showCrosshair(!now().is_crosshair_shown); } },
  { keys: "u", label: "All planes straight again", run: () => { straighten(); } },
  { keys: "[", label: "Less of the overlay", run: () => { blendBy(-0.1); } },
  { keys: "]", label: "More of the overlay", run: () => { blendBy(0.1); } },
  { keys: "Home", label: "Zoom, shift and turn as at the opening", run: () => { now().resetView(); } },
];

const DOING: KeyBinding[] = [
  { keys: "b", label: "Keep this view as a bookmark", run: bookmark },
  { keys: "r", label: "Register", run: () => { openRegistering(); } },
  { keys: "shift+e", label: "Export", run: openExport },
  { keys: "mod+s", label: "Save session", run: () => { openSave(); } },
  { keys: "z", label: "Undo", run: () => { now().undo(); } },
  { keys: "shift+z", label: "Redo", run: () => { now().redo(); } },
  { keys: "mod+z", label: "Undo", run: () => { now().undo(); }, isHidden: true },
  { keys: "mod+shift+z", label: "Redo", run: () => { now().redo(); }, isHidden: true },
  { keys: "mod+y", label: "Redo", run: () => { now().redo(); }, isHidden: true },
  { keys: "Delete", label: "Delete the chosen region or line", run: deleteSelected },
  { keys: "Escape", label: "Back to all panes; no tool, nothing chosen", run: escape },
  { keys: "?", label: "Show the shortcuts", run: openHelp },
];

const ALL: readonly KeyBinding[] = [
  ...DOING.map((each) => ({ ...each, group: "Everywhere" })),
  ...toolKeys(),
  ...SEEING.map((each) => ({ ...each, group: "Seeing" })),
  ...layoutKeys(),
];

export function useWorkstationKeys(): void {
  useKeys(ALL);
}
