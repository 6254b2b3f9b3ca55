/** Finding attributes among hundreds, and the few that the preview needs. */
import type { Attribute } from "../../../api/types";

/** "(0010,0020)", "0010,0020" and "00100020" are one tag. */
function bare(tag: string): string {
  return tag.replace(/[(),\s]/g, "").toLowerCase();
}

const HEX_DIGITS = /^[0-9a-f]{3,8}$/;

function matches(attribute: Attribute, word: string): boolean {
  const tag = bare(word);
  return (
    attribute.name.toLowerCase().includes(word) ||
    attribute.keyword.toLowerCase().includes(word) ||
    attribute.value.toLowerCase().includes(word) ||
    (HEX_DIGITS.test(tag) && bare(attribute.tag).startsWith(tag))
  );
}

/**
 * The attributes in which every word is found, by tag, keyword, name or value, each below the sequences that hold it.
 */
export function found(attributes: readonly Attribute[], text: string): readonly Attribute[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return attributes;
  const shown = new Set<Attribute>();
  // The attributes above the one that is looked at, by depth.
  const above: Attribute[] = [];
  for (const attribute of attributes) {
    above.length = Math.min(above.length, attribute.depth);
    if (words.every((word) => matches(attribute, word))) {
      above.forEach((each) => shown.add(each));
      shown.add(attribute);
    }
    above[attribute.depth] = attribute;
  }
  return attributes.filter((attribute) => shown.has(attribute));
}

export function topValue(attributes: readonly Attribute[], keyword: string): string {
  return attributes.find((each) => each.keyword === keyword)?.value ?? "";
}

/** For a spreadsheet or a letter. */
export function asText(attributes: readonly Attribute[]): string {
  return attributes
    .map(({ tag, name, vr, value, depth }) => `${"  ".repeat(depth)}${tag}\t${vr}\t${name}\t${value}`)
    .join("\n");
}

/** The first attribute of an item of a sequence: its number is shown there. */
export function beginsItem(attribute: Attribute, before: Attribute | undefined): boolean {
  if (attribute.depth === 0) return false;
  // Deeper items in between belong to the item that goes on.
  return before?.item !== attribute.item && !before?.item.startsWith(`${attribute.item}.`);
}
