import { CloseButton } from "@mantine/core";
import { IconLockOpen } from "@tabler/icons-react";
import { useState } from "react";

import { useSession } from "./session";
import styles from "./shell.module.css";

/** Names that never leave the machine need no encryption. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host.startsWith("127.") || host === "[::1]";
}

/** Says, on every page, that others can read along. */
export function EncryptionBanner() {
  const { is_encrypted } = useSession();
  const [isHidden, setHidden] = useState(false);
  if (is_encrypted || isHidden || isLoopback(window.location.hostname)) return null;
  return (
    <div className={styles.banner} role="alert">
      <IconLockOpen size={16} aria-hidden />
      <span>
        <strong>This connection is not encrypted.</strong> Passwords and images can be read on their way. Turn on{" "}
        <code>http_tls</code>, or put a proxy with https in front and name it in <code>public_url</code>.
      </span>
      <CloseButton size="sm" aria-label="Hide until the page is loaded again" onClick={() => { setHidden(true); }} />
    </div>
  );
}
