import { ActionIcon, Badge, Group, Menu, Switch, Table, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { IconArrowRight, IconCopy, IconDots, IconEdit, IconTrash } from "@tabler/icons-react";

import { useEnableRule, useRemoveRule, useSaveRule } from "../../api/rules";
import type { Rule } from "../../api/types";
import { failed, undoable, When } from "../../ui";
import classes from "./rules.module.css";

const UNDO_S = 10;

interface Props {
  rules: Rule[];
  mayChange: boolean;
  onEdit: (name: string) => void;
  onCopy: (name: string) => void;
}

export function RuleList({ rules, ...actions }: Props) {
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table fz="md" verticalSpacing="sm" horizontalSpacing="md" highlightOnHover highlightOnHoverColor="var(--rf-hover)">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={64}>On</Table.Th>
            <Table.Th>Rule</Table.Th>
            <Table.Th w={240}>Sends to</Table.Th>
            <Table.Th w={160}>For arrivals since</Table.Th>
            {actions.mayChange && <Table.Th w={48} />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rules.map((rule) => <Row key={rule.name} rule={rule} {...actions} />)}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ rule, mayChange, onEdit, onCopy }: { rule: Rule } & Omit<Props, "rules">) {
  const enable = useEnableRule();
  const isOn = enable.isPending ? enable.variables.is_enabled : rule.is_enabled;
  return (
    <Table.Tr className={classes.row} data-off={!isOn || undefined}>
      <Table.Td>
        <Switch withThumbIndicator={false}
          aria-label={`${rule.name} is on`}
          checked={isOn}
          disabled={!mayChange || enable.isPending}
          onChange={(event) => {
            enable.mutate(
              { name: rule.name, is_enabled: event.currentTarget.checked },
              { onError: (error) => { failed(`${rule.name} could not be changed`, error); } },
            );
          }}
        />
      </Table.Td>
      <Table.Td className={classes.dim}>
        {mayChange ?
          <UnstyledButton className={classes.name} onClick={() => { onEdit(rule.name); }}>{rule.name}</UnstyledButton>
        : <span className={classes.name}>{rule.name}</span>}
        <Text c="dimmed">{rule.summary}</Text>
      </Table.Td>
      <Table.Td className={classes.dim}>
        <Group gap={4}>
          {rule.destinations.map((peer) => (
            <Badge key={peer} leftSection={<IconArrowRight size={12} aria-hidden />}>{peer}</Badge>
          ))}
          {rule.forgets && (
            <Tooltip label="What every destination has taken is deleted here afterwards">
              <Badge color="orange" tabIndex={0}>then forgets</Badge>
            </Tooltip>
          )}
        </Group>
      </Table.Td>
      <Table.Td className={classes.dim}>{isOn ? <When seconds={rule.active_since_s} /> : <Text c="dimmed">off</Text>}</Table.Td>
      {mayChange && (
        <Table.Td>
          <RowMenu rule={rule} onEdit={onEdit} onCopy={onCopy} />
        </Table.Td>
      )}
    </Table.Tr>
  );
}

function RowMenu({ rule, onEdit, onCopy }: { rule: Rule } & Pick<Props, "onEdit" | "onCopy">) {
  const remove = useRemoveRule();
  const save = useSaveRule();
  function removeIt(): void {
    remove.mutate(rule.name, {
      onSuccess: () => {
        undoable({
          message: `Rule ${rule.name} deleted. What it has queued is still sent.`,
          undo: () => save.mutateAsync({ name: rule.name, definition: rule.definition }),
          seconds: UNDO_S,
          undone: `Rule ${rule.name} is back, for what arrives from now on.`,
        });
      },
      onError: (error) => { failed(`${rule.name} could not be deleted`, error); },
    });
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`What can be done with ${rule.name}`}><IconDots size={18} /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconEdit size={16} />} onClick={() => { onEdit(rule.name); }}>Edit and rehearse</Menu.Item>
        <Menu.Item leftSection={<IconCopy size={16} />} onClick={() => { onCopy(rule.name); }}>Make a copy</Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={removeIt}>Delete</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
