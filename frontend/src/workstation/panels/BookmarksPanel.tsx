import { ActionIcon, Tooltip } from "@mantine/core";
import { IconBookmarkPlus, IconTrash } from "@tabler/icons-react";

import type { Bookmark } from "../../api/workstation";
import { When } from "../../ui";
import { useWorkspace } from "../model/store";
import styles from "./panels.module.css";
import { Section } from "./Section";

/** Views worth coming back to. */
export function BookmarksPanel() {
  const bookmarks = useWorkspace((state) => state.doc.bookmarks);
  const addBookmark = useWorkspace((state) => state.addBookmark);
  const add = (
    <Tooltip label="Keep this view (B)">
      <ActionIcon size="sm" aria-label="Keep this view" onClick={() => { addBookmark(); }}><IconBookmarkPlus size={15} /></ActionIcon>
    </Tooltip>
  );
  return (
    <Section title="Bookmarks" aside={add}>
      {!bookmarks.length && <p className={styles.note}>None yet. B keeps the view as it is now.</p>}
      <ul className={styles.list}>
        {bookmarks.map((bookmark) => <BookmarkRow key={bookmark.id} bookmark={bookmark} />)}
      </ul>
    </Section>
  );
}

function BookmarkRow({ bookmark: { id, name, made_s } }: { bookmark: Bookmark }) {
  const { showBookmark, changeBookmark, removeBookmark } = useWorkspace.getState();
  return (
    <li className={styles.lineRow}>
      <input
        className={styles.rename} value={name} aria-label="Name of the bookmark"
        onChange={(event) => { changeBookmark(id, { name: event.currentTarget.value }); }}
      />
      <span className={styles.when}><When seconds={made_s} /></span>
      <button type="button" className={styles.link} onClick={() => { showBookmark(id); }}>Show</button>
      <ActionIcon size="xs" aria-label={`Delete ${name}`} onClick={() => { removeBookmark(id); }}><IconTrash size={14} /></ActionIcon>
    </li>
  );
}
