import { useRef } from "react";
import { Outlet, useLocation, useNavigate } from "react-router-dom";

import { Live } from "../api/events";
import { useKeys, type KeyBinding } from "../ui/keys";
import { UploadDropzone } from "../uploads/UploadDropzone";
import { EncryptionBanner } from "./EncryptionBanner";
import { openHelp } from "./Help";
import { RAIL } from "./pages";
import { Rail } from "./Rail";
import { hasRole, useSession } from "./session";
import styles from "./shell.module.css";

const GROUP = "Everywhere";

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>("[data-page-search]");
  field?.focus();
  field?.select();
}

/** The rail beside the page, and what is there on every page: shortcuts, live events, dropping of files. */
export function Shell() {
  const session = useSession();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);

  const goTo: KeyBinding[] = RAIL.flat()
    .filter((page) => hasRole(session, page.role))
    .map((page) => ({
      keys: `g ${page.letter}`,
      label: `Go to ${page.label}`,
      group: GROUP,
      run: () => void navigate(page.path),
    }));
  useKeys([
    { keys: "?", label: "Show the shortcuts", group: GROUP, run: openHelp },
    { keys: "/", label: "Search in this page", group: GROUP, run: focusSearch },
    ...goTo,
  ]);

  return (
    <div className={styles.shell}>
      <a
        className={styles.skip}
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <Rail />
      <div className={styles.column}>
        <EncryptionBanner />
        <main id="main" className={styles.main} ref={main} tabIndex={-1} data-path={pathname}>
          <Outlet />
        </main>
      </div>
      <Live />
      {hasRole(session, "operator") && <UploadDropzone />}
    </div>
  );
}
