import styles from "./studies.module.css";

const WIDTHS = [62, 48, 70, 55, 66, 50, 74, 58, 45, 68, 60, 52];

/** What the list will look like, while it is read for the first time. */
export function TableSkeleton() {
  return (
    <div aria-busy aria-label="Reading the studies" role="status">
      {WIDTHS.map((width, at) => (
        <div key={at} className={styles.skeletonRow}>
          {[0.3, 0.15, 0.2, 0.35].map((part, column) => (
            <div key={column} style={{ flex: part }}>
              <div className={styles.skeleton} style={{ width: `${String((width + column * 17) % 60 + 30)}%` }} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}
