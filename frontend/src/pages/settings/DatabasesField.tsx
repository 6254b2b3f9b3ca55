import { ActionIcon, Autocomplete, Button, Table, Text, TextInput, Tooltip } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import { useDatabases } from "../../api/admin";
import { useSession } from "../../app/session";
import { formatBytes, formatCounted } from "../../ui";
import { mapOf, rowsOf, type TitleRow } from "./titleRows";
import classes from "./settings.module.css";

interface Props {
  label: string;
  value: Record<string, string>;
  isDisabled: boolean;
  error: string | undefined;
  onChange: (value: Record<string, string>) => void;
}

const MOST_OF_AN_AE_TITLE = 16;

/** AE titles of ours, and the database that each stores to and answers from. */
export function DatabasesField({ label, value, isDisabled, error, onChange }: Props) {
  // Rows, because a title that is being typed is no key yet.
  const [rows, setRows] = useState<TitleRow[]>(() => rowsOf(value));
  const known = useDatabases().data ?? [];
  const session = useSession();
  const own = known.find((each) => each.ae_titles.includes(session.ae_title));

  function change(next: TitleRow[]): void {
    setRows(next);
    onChange(mapOf(next));
  }
  const edit = (place: number, part: Partial<TitleRow>): void => {
    change(rows.map((row, at) => (at === place ? { ...row, ...part } : row)));
  };
  const held = (name: string): string => {
    const database = known.find((each) => each.name === name);
    return database === undefined ? "new, empty" : `${formatCounted(database.studies, "study", "studies")}, ${formatBytes(database.size_bytes)}`;
  };

  return (
    <div>
      <Table fz="md" aria-label={label} horizontalSpacing="sm" verticalSpacing={4} className={classes.titles}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>AE title</Table.Th>
            <Table.Th>Database</Table.Th>
            <Table.Th>Holds</Table.Th>
            <Table.Th w={40} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Table.Tr>
            <Table.Td pl="lg">{session.ae_title}</Table.Td>
            <Table.Td pl="lg">{own?.name ?? session.databases[0]}</Table.Td>
            <Table.Td c="dimmed">{own && held(own.name)}</Table.Td>
            <Table.Td />
          </Table.Tr>
          {rows.map((row, place) => (
            <Table.Tr key={row.id}>
              <Table.Td>
                <TextInput
                  aria-label="AE title"
                  value={row.title}
                  maxLength={MOST_OF_AN_AE_TITLE}
                  disabled={isDisabled}
                  autoFocus={row.isNew}
                  error={row.title !== "" && rows.some((other) => other !== row && other.title === row.title) && "Stands here twice"}
                  onChange={(event) => { edit(place, { title: event.currentTarget.value }); }}
                />
              </Table.Td>
              <Table.Td>
                <Autocomplete
                  aria-label={`Database of ${row.title}`}
                  value={row.database}
                  data={known.map((each) => each.name)}
                  disabled={isDisabled}
                  placeholder="a-z, 0-9, _ and -"
                  onChange={(database) => { edit(place, { database }); }}
                />
              </Table.Td>
              <Table.Td c="dimmed">{row.database !== "" && held(row.database)}</Table.Td>
              <Table.Td>
                <Tooltip label="Take it from this list; the database and what it holds stay">
                  <ActionIcon
                    aria-label={`Remove ${row.title}`}
                    disabled={isDisabled}
                    onClick={() => { change(rows.filter((other) => other !== row)); }}
                  >
                    <IconTrash size={16} />
                  </ActionIcon>
                </Tooltip>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {error !== undefined && <Text c="var(--mantine-color-error)" fz="sm" mt={4} role="alert">{error}</Text>}
      <Button
        mt="sm"
        variant="default"
        disabled={isDisabled}
        leftSection={<IconPlus size={16} />}
        onClick={() => { setRows([...rows, { id: nextId(rows), title: "", database: "", isNew: true }]); }}
      >
        Add an AE title
      </Button>
    </div>
  );
}

function nextId(rows: TitleRow[]): number {
  return Math.max(-1, ...rows.map((row) => row.id)) + 1;
}
