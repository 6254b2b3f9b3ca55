import { Badge, Group, Table, Text } from "@mantine/core";

import type { Database } from "../../api/types";
import { formatBytes, formatCount } from "../../ui";
import { Panel } from "./Panel";
import classes from "./status.module.css";

/** What is kept, by database, with a sum when there are several. */
export function DatabasesTable({ databases }: { databases: Database[] }) {
  const sum = (of: (database: Database) => number): number => databases.reduce((total, each) => total + of(each), 0);
  return (
    <Panel title="Databases">
      <Table.ScrollContainer minWidth={560}>
        <Table fz="md" verticalSpacing={6} horizontalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Database</Table.Th>
              <Table.Th>AE titles</Table.Th>
              {["Patients", "Studies", "Series", "Images", "Size"].map((title) => (
                <Table.Th key={title} className={classes.number}>{title}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {databases.map((database) => (
              <Table.Tr key={database.name}>
                <Table.Td fw={500}>{database.name}</Table.Td>
                <Table.Td>
                  <Group gap={4}>
                    {database.ae_titles.map((title) => (
                      <Badge key={title} variant="default" radius="sm" tt="none" fw={500}>{title}</Badge>
                    ))}
                    {database.ae_titles.length === 0 && <Text fz="sm" c="dimmed">none</Text>}
                  </Group>
                </Table.Td>
                <Numbers of={database} />
              </Table.Tr>
            ))}
          </Table.Tbody>
          {databases.length > 1 && (
            <Table.Tfoot>
              <Table.Tr>
                <Table.Th colSpan={2}>Together</Table.Th>
                <Numbers
                  of={{
                    patients: sum((each) => each.patients),
                    studies: sum((each) => each.studies),
                    series: sum((each) => each.series),
                    instances: sum((each) => each.instances),
                    size_bytes: sum((each) => each.size_bytes),
                  }}
                />
              </Table.Tr>
            </Table.Tfoot>
          )}
        </Table>
      </Table.ScrollContainer>
    </Panel>
  );
}

function Numbers({ of }: { of: Omit<Database, "name" | "ae_titles"> }) {
  return (
    <>
      {[of.patients, of.studies, of.series, of.instances].map((count, place) => (
        <Table.Td key={place} className={classes.number}>{formatCount(count)}</Table.Td>
      ))}
      <Table.Td className={classes.number}>{formatBytes(of.size_bytes)}</Table.Td>
    </>
  );
}
