import { Alert, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";

import type { Rehearsal } from "../../api/types";
import { formatCount, formatCounted, Uid } from "../../ui";
import { Panel } from "../status/Panel";
import classes from "./rules.module.css";

/** What the rule would have done with what is here. */
export function RehearsalPanel({ rehearsal }: { rehearsal: Rehearsal }) {
  const { matched_objects, examined_objects, examples, notes } = rehearsal;
  return (
    <Panel title="Rehearsal" note="nothing was sent or changed" mt="lg">
      <Stack gap="sm" aria-live="polite">
        <Text fw={500}>
          {matched_objects === 0 ?
            `It would have sent nothing of the ${formatCounted(examined_objects, "object")} looked at.`
          : `It would have sent ${formatCount(matched_objects)} of the ${formatCounted(examined_objects, "object")} looked at.`}
        </Text>
        {notes.length > 0 && (
          <Alert color="blue" icon={<IconInfoCircle size={18} />}>
            {notes.map((note) => <Text key={note}>{note}</Text>)}
          </Alert>
        )}
        <div>
          {examples.map((example) => (
            <div key={`${example.study} ${example.text}`} className={classes.example}>
              <span>{example.text}</span>
              <Uid value={example.study} />
            </div>
          ))}
        </div>
      </Stack>
    </Panel>
  );
}
