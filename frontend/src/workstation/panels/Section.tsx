import { UnstyledButton } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconChevronRight } from "@tabler/icons-react";
import { useId, type ReactNode } from "react";

import styles from "./panels.module.css";

interface SectionProps {
  title: string;
  /** Beside the title: a count, a state. */
  aside?: ReactNode;
  isOpenAtFirst?: boolean;
  children: ReactNode;
}

/** One of the panels at the right: folded and unfolded as the reader left it. */
export function Section({ title, aside, isOpenAtFirst = true, children }: SectionProps) {
  const [isOpen, setOpen] = useLocalStorage({
    key: `radfuse-workstation-${title.toLowerCase()}`,
    defaultValue: isOpenAtFirst,
    getInitialValueInEffect: false,
  });
  const id = useId();
  return (
    <section className={styles.section}>
      <h2 className={styles.head}>
        <UnstyledButton className={styles.headButton} aria-expanded={isOpen} aria-controls={id} onClick={() => { setOpen(!isOpen); }}>
          <IconChevronRight size={14} className={styles.chevron} data-open={isOpen || undefined} aria-hidden />
          <span>{title}</span>
        </UnstyledButton>
        {aside && <span className={styles.aside}>{aside}</span>}
      </h2>
      <div id={id} hidden={!isOpen} className={styles.body}>
        {isOpen && children}
      </div>
    </section>
  );
}
