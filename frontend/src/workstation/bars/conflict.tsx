/** Two people changed one workspace: told to the one who came later, and nothing is lost. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";

import { When } from "../../ui";
import { keepMine, takeTheirs } from "../model/drafts";
import { useWorkspace } from "../model/store";

export function openConflict(): void {
  const id = modals.open({
    title: "Changed by someone else",
    children: <Conflict close={() => { modals.close(id); }} />,
  });
}

function Conflict({ close }: { close: () => void }) {
  const conflict = useWorkspace((state) => state.draft.conflict);
  if (!conflict) return <Text>It is settled.</Text>;
  const { changed_by, changed_s, state } = conflict.theirs;
  return (
    <Stack gap="md">
      <Text>
        {changed_by || "Somebody"} changed this workspace <When seconds={changed_s} />: it has {state.regions.length} regions
        and {state.bookmarks.length} bookmarks there. Whichever you choose, the other stays among the versions.
      </Text>
      <Group justify="flex-end" gap="sm">
        <Button variant="default" onClick={close}>Decide later</Button>
        <Button variant="default" onClick={() => { takeTheirs(); close(); }}>Go on with theirs</Button>
        <Button data-autofocus onClick={() => { void keepMine(); close(); }}>Go on with mine</Button>
      </Group>
    </Stack>
  );
}
