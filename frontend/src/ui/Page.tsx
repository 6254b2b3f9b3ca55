import { useEffect, useRef, type ReactNode } from "react";

import styles from "./ui.module.css";

interface PageProps {
  title: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  /** The content brings its own padding and scrolls by itself: tables, panels. */
  fill?: boolean;
  children: ReactNode;
}

/** The frame of every page: its name, what can be done, and below it what scrolls. */
export function Page({ title, subtitle, actions, fill, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${title} · Radfuse`;
  }, [title]);

  useEffect(() => {
    // After navigation by keyboard the next Tab belongs into the new page; the first page, and a page that has put
    // the focus somewhere itself, are left alone.
    const active = document.activeElement;
    if (active && active !== document.body && active.closest("nav")) heading.current?.focus({ preventScroll: true });
  }, []);

  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1 className={styles.title} ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {subtitle && <div className={styles.subtitle}>{subtitle}</div>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      <div className={styles.content} data-fill={fill || undefined}>
        {children}
      </div>
    </div>
  );
}
