import { Badge, Button, Group, Skeleton, Stack, Switch, Table, Text } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useState } from "react";

import type { NewToken, Token } from "../../api/types";
import { useRevokeToken, useTokens } from "../../api/users";
import { hasRole, ROLE_WORDS, useSession } from "../../app/session";
import { confirmDestroy, Empty, ErrorBox, formatInstant, useNow, When } from "../../ui";
import { MakeToken } from "./MakeToken";
import { SecretShown } from "./SecretShown";

/** Tokens of who is logged in: passwords for programs. */
export function TokensPanel() {
  const session = useSession();
  const [isAll, setAll] = useState(false);
  const { data, error, refetch } = useTokens(isAll);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<NewToken | null>(null);
  if (session.mode === "single-user") {
    return (
      <Empty icon={<IconKey size={40} stroke={1.4} />} title="No tokens needed yet">
        Without users, programs on this machine need no token. Tokens belong to users: add the first one.
      </Empty>
    );
  }
  const addButton = <Button leftSection={<IconPlus size={16} />} onClick={() => { setMaking(true); }}>New token</Button>;
  return (
    <Stack gap="md">
      {made !== null && <SecretShown token={made} onClose={() => { setMade(null); }} />}
      {error !== null && data === undefined && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {error === null && data === undefined && <Skeleton h={120} />}
      {data?.length === 0 && made === null && !isAll && (
        <Empty icon={<IconKey size={40} stroke={1.4} />} title="No tokens">
          <p>A token lets a program or a viewer in without your password, with no more rights than it needs.</p>
          {addButton}
        </Empty>
      )}
      {data !== undefined && (data.length > 0 || isAll) && (
        <>
          <Group gap="lg">
            {addButton}
            {hasRole(session, "administrator") && (
              <Switch withThumbIndicator={false} label="Those of all users" checked={isAll} onChange={(event) => { setAll(event.currentTarget.checked); }} />
            )}
          </Group>
          <TokenTable tokens={data} withOwners={isAll} />
        </>
      )}
      {isMaking && <MakeToken onMade={setMade} onClose={() => { setMaking(false); }} />}
    </Stack>
  );
}

function TokenTable({ tokens, withOwners }: { tokens: Token[]; withOwners: boolean }) {
  const now = useNow();
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table fz="md" verticalSpacing={6} horizontalSpacing="md" highlightOnHover highlightOnHoverColor="var(--rf-hover)">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>For</Table.Th>
            {withOwners && <Table.Th>User</Table.Th>}
            <Table.Th>Role</Table.Th>
            <Table.Th>Ends</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th w={96} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tokens.map((token) => (
            <Table.Tr key={token.id}>
              <Table.Td fw={500}>{token.name}</Table.Td>
              {withOwners && <Table.Td>{token.user}</Table.Td>}
              <Table.Td>{ROLE_WORDS[token.role]}</Table.Td>
              <Table.Td>
                {token.expires_s === null ? <Text c="dimmed">never</Text>
                : token.expires_s < now ? <Badge color="red">ended</Badge>
                : formatInstant(token.expires_s)}
              </Table.Td>
              <Table.Td>{token.last_used_s === null ? <Text c="dimmed">never</Text> : <When seconds={token.last_used_s} />}</Table.Td>
              <Table.Td><When seconds={token.created_s} /></Table.Td>
              <Table.Td><Revoke token={token} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Revoke({ token }: { token: Token }) {
  const revoke = useRevokeToken();
  return (
    <Button
      variant="subtle"
      color="red"
      size="compact-sm"
      onClick={() => {
        confirmDestroy({
          title: `Revoke the token “${token.name}”?`,
          text: "Whatever uses it is refused from now on. It cannot be brought back.",
          action: "Revoke",
          onConfirm: () => revoke.mutateAsync(token.id),
        });
      }}
    >
      Revoke
    </Button>
  );
}
