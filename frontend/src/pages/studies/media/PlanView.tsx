import { Alert, Group, Loader, ScrollArea, Table, Text } from "@mantine/core";
import { IconAlertTriangle, IconArrowsExchange, IconBan } from "@tabler/icons-react";

import type { MediaPlan, MediaProfile } from "../../../api/media";
import { formatBytes, formatCount, formatCounted, sentence } from "../../../ui";
import { conversionWords, mediumOf, planWords } from "./media";
import styles from "./media.module.css";

interface PlanViewProps {
  /** Undefined while it is made. */
  plan: MediaPlan | undefined;
  profile: MediaProfile;
}

/** What will be written: how many media, what is converted, what is refused and why. */
export function PlanView({ plan, profile }: PlanViewProps) {
  return (
    <section className={styles.plan} aria-label="Plan" aria-busy={!plan}>
      {plan ? <Told plan={plan} profile={profile} /> : (
        <Group gap="sm">
          <Loader size="xs" />
          <Text size="sm" c="dimmed">Reading what is to be written …</Text>
        </Group>
      )}
    </section>
  );
}

function Told({ plan, profile }: { plan: MediaPlan; profile: MediaProfile }) {
  return (
    <>
      <Text fw={600}>{plan.objects > 0 ? planWords(plan, profile) : "Nothing of this can go on this medium"}</Text>
      {plan.volumes.length > 1 && <Volumes plan={plan} medium={mediumOf(profile)} />}
      {plan.conversions.length > 0 && (
        <ul className={styles.lines}>
          {plan.conversions.map((each) => (
            <li key={`${each.from_syntax} ${each.to_syntax}`}>
              <IconArrowsExchange size={14} aria-label="Converted" />
              {conversionWords(each)}
            </li>
          ))}
        </ul>
      )}
      {plan.warnings.map((each) => (
        <Alert key={each} color="yellow" icon={<IconAlertTriangle size={18} />} p={8}>{sentence(each)}</Alert>
      ))}
      {plan.refusals.length > 0 && (
        <Alert color="red" icon={<IconBan size={18} />} p={8} role="alert" title="Refused by this profile">
          <ul className={styles.lines}>
            {plan.refusals.map((each) => (
              <li key={`${each.sop_class} ${each.rule} ${each.sentence}`}>
                <span><b>{formatCount(each.objects)} × {each.sop_class}:</b> {sentence(each.sentence)}</span>
              </li>
            ))}
          </ul>
        </Alert>
      )}
    </>
  );
}

function Volumes({ plan, medium }: { plan: MediaPlan; medium: string }) {
  return (
    <ScrollArea.Autosize mah={160}>
      <Table verticalSpacing={4} fz="sm" aria-label="Media">
        <Table.Tbody>
          {plan.volumes.map(({ number, studies, objects, size_bytes }) => (
            <Table.Tr key={number}>
              <Table.Td>{medium} {number}</Table.Td>
              <Table.Td ta="right">{formatCounted(studies, "study", "studies")}</Table.Td>
              <Table.Td ta="right">{formatCounted(objects, "object")}</Table.Td>
              <Table.Td ta="right">{formatBytes(size_bytes)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
