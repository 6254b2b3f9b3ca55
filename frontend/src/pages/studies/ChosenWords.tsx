import { Text } from "@mantine/core";

import { capitalized } from "../../ui";
import { amountOf, type Chosen } from "./chosen";

/** At the head of a dialog: what it is about, and how much that is. */
export function ChosenWords({ chosen }: { chosen: Chosen }) {
  return (
    <div>
      <Text fw={500}>{capitalized(chosen.what)}</Text>
      <Text c="dimmed" size="sm">
        {amountOf(chosen)}
      </Text>
    </div>
  );
}
