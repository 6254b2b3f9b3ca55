import { IconUpload } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { useSession } from "../app/session";
import { useSearch } from "../pages/studies/searchState";
import { UploadCard } from "./UploadCard";
import styles from "./uploads.module.css";
import { uploadDropped, useUploads } from "./useUploads";

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Takes files and folders that are dropped anywhere on the window, and shows how far they are. */
export function UploadDropzone() {
  const isOver = useDrop();
  const session = useSession();
  const { database } = useSearch();
  const { state } = useUploads();

  useEffect(() => {
    if (state !== "running") return undefined;
    const warn = (event: BeforeUnloadEvent) => { event.preventDefault(); };
    window.addEventListener("beforeunload", warn);
    return () => { window.removeEventListener("beforeunload", warn); };
  }, [state]);

  return (
    <>
      {isOver && (
        <div className={styles.zone}>
          <div className={styles.zoneWords}>
            <IconUpload size={40} stroke={1.4} />
            <b>Drop to add to the archive</b>
            <span>
              DICOM files, folders, zip archives, ISO images, media with a DICOMDIR
              {session.databases.length > 1 && `, into ${database || (session.databases[0] ?? "")}`}
            </span>
          </div>
        </div>
      )}
      <UploadCard />
    </>
  );
}

/** Whether files are held over the window. What is dropped on a field or a dialog is ours as well. */
function useDrop(): boolean {
  const [isOver, setOver] = useState(false);
  // Each element that is crossed tells of an enter and a leave.
  const depth = useRef(0);
  const { database } = useSearch();
  useEffect(() => {
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth.current += 1;
      setOver(true);
    };
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth.current = Math.max(0, depth.current - 1);
      if (depth.current === 0) setOver(false);
    };
    const drop = (event: DragEvent) => {
      depth.current = 0;
      setOver(false);
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      uploadDropped(event.dataTransfer, database);
    };
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, [database]);
  return isOver;
}
