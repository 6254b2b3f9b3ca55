import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconFiles, IconFolder, IconUpload } from "@tabler/icons-react";
import { useRef } from "react";

import { useSearch } from "../pages/studies/searchState";
import { uploadPicked } from "./useUploads";

/** Picks files or a folder; dropping them on the window does the same. */
export function UploadButton({ variant = "default" }: { variant?: "default" | "filled" }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { database } = useSearch();
  const field = { type: "file", multiple: true, hidden: true, tabIndex: -1 };
  const onChange = (event: React.ChangeEvent<HTMLInputElement>) => {
    uploadPicked(event.currentTarget.files ?? [], database);
    // The same files may be picked again.
    event.currentTarget.value = "";
  };
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant={variant}
            style={{ flex: "none" }}
            leftSection={<IconUpload size={16} />}
            rightSection={<IconChevronDown size={14} />}
          >
            Upload
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconFiles size={16} />} onClick={() => files.current?.click()}>
            Files or zip archives …
          </Menu.Item>
          <Menu.Item leftSection={<IconFolder size={16} />} onClick={() => folder.current?.click()}>
            A folder …
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <input ref={files} {...field} onChange={onChange} aria-label="Files to upload" />
      <input ref={folder} {...field} {...{ webkitdirectory: "" }} onChange={onChange} aria-label="Folder to upload" />
    </>
  );
}
