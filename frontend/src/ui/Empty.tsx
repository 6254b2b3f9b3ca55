import type { ReactNode } from "react";

import styles from "./ui.module.css";

/** An empty list is no dead end: `children` say how to fill it. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      {icon}
      <h2 className={styles.emptyTitle}>{title}</h2>
      {children && <div>{children}</div>}
    </div>
  );
}
