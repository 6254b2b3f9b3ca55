import { UnstyledButton } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

import type { Attribute } from "../../../api/types";
import { beginsItem } from "./attributes";
import styles from "./panel.module.css";

const GUESSED_PX = 40;

/** Attributes with their nesting; a click copies the value. Thousands of them scroll as well as ten. */
export function AttributeList({ attributes }: { attributes: readonly Attribute[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: attributes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => GUESSED_PX,
    overscan: 12,
    initialRect: { width: 400, height: 600 },
  });
  return (
    <div ref={scroller} className={styles.attributeList} tabIndex={0} role="list" aria-label="Attributes">
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map((row) => {
          const attribute = attributes[row.index];
          if (!attribute) return null;
          return (
            <div
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              role="listitem"
              className={styles.attribute}
              style={{ transform: `translateY(${String(row.start)}px)`, paddingLeft: 12 + attribute.depth * 14 }}
            >
              {beginsItem(attribute, attributes[row.index - 1]) && (
                <span className={styles.item}>Item {attribute.item}</span>
              )}
              <AttributeRow attribute={attribute} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function AttributeRow({ attribute }: { attribute: Attribute }) {
  const clipboard = useClipboard({ timeout: 1200 });
  const { tag, name, keyword, vr, value } = attribute;
  return (
    <>
      <div className={styles.attributeName}>
        <span title={keyword}>{name || keyword || "Unknown"}</span>
        <span className={styles.tag}>
          {tag} {vr}
        </span>
      </div>
      <UnstyledButton
        className={styles.value}
        title={clipboard.copied ? "Copied" : "Click to copy"}
        data-empty={value === "" || undefined}
        onClick={() => {
          // Who marks a part of it wants to copy that part.
          if (!window.getSelection()?.toString()) clipboard.copy(value);
        }}
      >
        {clipboard.copied ? "Copied" : value || "empty"}
      </UnstyledButton>
    </>
  );
}
