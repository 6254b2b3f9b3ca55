/** What a reader makes: regions, lines, bookmarks, consents. */
import type { WorkspaceState } from "../../api/workstation";
import { colourOf, nextNumber, seenAs, viewNow } from "./document";
import { activePlane } from "./layouts";
import type { WorkspaceStore } from "./state";
import type { Note, Step } from "./store";

type Items =
  | "addRegion" | "changeRegion" | "removeRegion" | "addLine" | "changeLine" | "removeLine"
  | "addBookmark" | "changeBookmark" | "removeBookmark" | "showBookmark" | "consent"; // prettier-ignore

function now_s(): number {
  return Math.round(Date.now() / 1000);
}

/** Of things within one workspace only. */
function newId(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [...words].map((word) => word.toString(36)).join("");
}

type Listed = "regions" | "lines" | "bookmarks";

function withChange(doc: WorkspaceState, list: Listed, id: string, change: object): WorkspaceState {
  const all: readonly { id: string }[] = doc[list];
  if (!all.some((each) => each.id === id)) return doc;
  return { ...doc, [list]: all.map((each) => (each.id === id ? { ...each, ...change } : each)) };
}

function withoutItem(doc: WorkspaceState, list: Listed, id: string): WorkspaceState {
  const all: readonly { id: string }[] = doc[list];
  const rest = all.filter((each) => each.id !== id);
  return rest.length === all.length ? doc : { ...doc, [list]: rest };
}

export function itemActions(get: () => WorkspaceStore, step: Step, note: Note): Pick<WorkspaceStore, Items> {
  return {
    addRegion: (region) => {
      const id = newId();
      const made = { made_by: get().user, made_s: now_s() };
      step("", (doc) => {
        const number = nextNumber(doc.regions);
        const name = region.name || `${region.kind === "lesion" ? "Lesion" : "Region"} ${String(number)}`;
        const colour = region.colour ?? colourOf(number);
        return { ...doc, regions: [...doc.regions, { ...region, ...made, id, number, name, colour }] };
      });
      get().select(id);
      return id;
    },
    changeRegion: (id, change) => {
      step(`region ${id} ${Object.keys(change).join()}`, (doc) => withChange(doc, "regions", id, change));
    },
    removeRegion: (id) => { step("", (doc) => withoutItem(doc, "regions", id)); },
    addLine: (line) => {
      const id = newId();
      step("", (doc) => ({ ...doc, lines: [...doc.lines, { ...line, id }] }));
      get().select(id);
      return id;
    },
    changeLine: (id, change) => { step(`line ${id}`, (doc) => withChange(doc, "lines", id, change)); },
    removeLine: (id) => { step("", (doc) => withoutItem(doc, "lines", id)); },
    addBookmark: (wanted = {}) => {
      const id = newId();
      step("", (doc) => {
        const name = wanted.name ?? `View ${String(doc.bookmarks.length + 1)}`;
        const rest = { note: wanted.note ?? "", picture: wanted.picture ?? null, made_s: now_s(), view: { ...viewNow(doc), active: activePlane(get()) } };
        return { ...doc, bookmarks: [...doc.bookmarks, { id, name, ...rest }] };
      });
      return id;
    },
    changeBookmark: (id, change) => {
      step(`bookmark ${id}`, (doc) => withChange(doc, "bookmarks", id, change));
    },
    removeBookmark: (id) => { step("", (doc) => withoutItem(doc, "bookmarks", id)); },
    showBookmark: (id) => {
      const found = get().doc.bookmarks.find((each) => each.id === id);
      if (found) step("", (doc) => seenAs(doc, found.view));
    },
    consent: (given) => {
      const consent = { ...given, by: get().user, at_s: now_s() };
      note((doc) => ({ ...doc, consents: [...doc.consents, consent] }));
    },
  };
}
