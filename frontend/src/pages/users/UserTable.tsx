import { ActionIcon, Badge, Group, Menu, Select, Switch, Table, Text } from "@mantine/core";
import { IconDots, IconKey, IconLock, IconTrash, IconUserEdit } from "@tabler/icons-react";
import { useState } from "react";

import type { Role, User } from "../../api/types";
import { useChangeUser, useRemoveUser, type UserChange } from "../../api/users";
import { ROLE_WORDS, useSession } from "../../app/session";
import { confirmDestroy, failed, formatInstant, useNow, When } from "../../ui";
import { EditFullName, ResetPassword } from "./ChangeUser";
import { ROLES } from "./roles";

type Asked = { what: "password" | "name"; user: User };

export function UserTable({ users }: { users: User[] }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = (): void => { setAsked(null); };
  return (
    <>
      <Table.ScrollContainer minWidth={640}>
        <Table fz="md" verticalSpacing={6} horizontalSpacing="md" highlightOnHover highlightOnHoverColor="var(--rf-hover)">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Full name</Table.Th>
              <Table.Th w={168}>Role</Table.Th>
              <Table.Th w={112}>May log in</Table.Th>
              <Table.Th w={136}>Last login</Table.Th>
              <Table.Th w={120} visibleFrom="md">Added</Table.Th>
              <Table.Th w={48} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {users.map((user) => <Row key={user.name} user={user} onAsk={setAsked} />)}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {asked?.what === "password" && <ResetPassword user={asked.user} onClose={close} />}
      {asked?.what === "name" && <EditFullName user={asked.user} onClose={close} />}
    </>
  );
}

function Row({ user, onAsk }: { user: User; onAsk: (asked: Asked) => void }) {
  const session = useSession();
  const now = useNow();
  const change = useChangeUser();
  const set = (part: UserChange): void => {
    change.mutate({ name: user.name, change: part }, { onError: (error) => { failed(`${user.name} could not be changed`, error); } });
  };
  const shown = { ...user, ...(change.isPending ? change.variables.change : {}) };
  const isLocked = user.locked_until_s !== null && user.locked_until_s > now;
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap="sm">
          <Text fw={500} c={user.is_enabled ? undefined : "dimmed"}>{user.name}</Text>
          {user.name === session.user && <Badge>you</Badge>}
          {isLocked && (
            <Badge color="orange" leftSection={<IconLock size={12} />} title={`Too many wrong passwords; looked at again from ${formatInstant(user.locked_until_s ?? 0)}`}>
              locked
            </Badge>
          )}
        </Group>
      </Table.Td>
      <Table.Td>{user.full_name}</Table.Td>
      <Table.Td>
        <Select
          aria-label={`Role of ${user.name}`}
          value={shown.role}
          data={ROLES.map((role) => ({ value: role, label: ROLE_WORDS[role] }))}
          disabled={change.isPending}
          onChange={(role) => { if (role !== null && role !== user.role) set({ role: role as Role }); }}
        />
      </Table.Td>
      <Table.Td>
        <Switch withThumbIndicator={false}
          aria-label={`${user.name} may log in`}
          checked={shown.is_enabled}
          disabled={change.isPending}
          onChange={(event) => { set({ is_enabled: event.currentTarget.checked }); }}
        />
      </Table.Td>
      <Table.Td>{user.last_login_s === null ? <Text c="dimmed">never</Text> : <When seconds={user.last_login_s} />}</Table.Td>
      <Table.Td visibleFrom="md"><When seconds={user.created_s} /></Table.Td>
      <Table.Td><RowMenu user={user} onAsk={onAsk} /></Table.Td>
    </Table.Tr>
  );
}

function RowMenu({ user, onAsk }: { user: User; onAsk: (asked: Asked) => void }) {
  const remove = useRemoveUser();
  function ask(): void {
    confirmDestroy({
      title: `Remove ${user.name}?`,
      text: "The password and all tokens of this user are gone, and cannot be brought back. What the user did stays in the access log. To keep someone out for a while, turn “May log in” off instead.",
      action: "Remove",
      onConfirm: () => remove.mutateAsync(user.name),
    });
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`What can be done with ${user.name}`}><IconDots size={18} /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconKey size={16} />} onClick={() => { onAsk({ what: "password", user }); }}>Set a new password</Menu.Item>
        <Menu.Item leftSection={<IconUserEdit size={16} />} onClick={() => { onAsk({ what: "name", user }); }}>Change the full name</Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={ask}>Remove</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
