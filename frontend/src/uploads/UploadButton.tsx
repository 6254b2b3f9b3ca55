import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconFiles, IconFolder, IconServer, IconUpload } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { hasRole, useSession } from "../app/session";
import { ImportMediaDialog } from "../pages/studies/media/ImportMediaDialog";
import { useSearch } from "../pages/studies/searchState";
import { uploadPicked } from "./useUploads";

/** Picks files or a folder; dropping them on the window does the same. What the server has is imported there. */
export function UploadButton({ variant = "default" }: { variant?: "default" | "filled" }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { database } = useSearch();
  const [isImporting, setImporting] = useState(false);
  const isAdministrator = hasRole(useSession(), "administrator");
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
            Files, zip archives, ISO images …
          </Menu.Item>
          <Menu.Item leftSection={<IconFolder size={16} />} onClick={() => folder.current?.click()}>
            A folder …
          </Menu.Item>
          {isAdministrator && (
            <Menu.Item leftSection={<IconServer size={16} />} onClick={() => { setImporting(true); }}>
              From the server …
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <input ref={files} {...field} onChange={onChange} aria-label="Files to upload" />
      <input ref={folder} {...field} {...{ webkitdirectory: "" }} onChange={onChange} aria-label="Folder to upload" />
      <ImportMediaDialog isOpen={isImporting} database={database} onClose={() => { setImporting(false); }} />
    </>
  );
}
