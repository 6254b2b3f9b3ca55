import { Button, Skeleton, Stack, Tabs } from "@mantine/core";
import { IconPlus, IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useSearchParams } from "react-router-dom";

import { useUsers } from "../../api/users";
import { hasRole, ROLE_WORDS, useSession } from "../../app/session";
import { Empty, ErrorBox, Page } from "../../ui";
import { Facts } from "../status/Facts";
import { Panel } from "../status/Panel";
import { AddUser } from "./AddUser";
import { ROLE_MEANS, ROLES } from "./roles";
import { TokensPanel } from "./TokensPanel";
import { UserTable } from "./UserTable";

/** Who may log in (administrators), and one's own tokens (everyone; ?tab=tokens). */
export default function UsersPage() {
  const isAdministrator = hasRole(useSession(), "administrator");
  const [parameters, setParameters] = useSearchParams();
  if (!isAdministrator) {
    return (
      <Page title="API tokens" subtitle="For programs and viewers that act for you">
        <TokensPanel />
      </Page>
    );
  }
  return (
    <Page title="Users" subtitle="Who may log in, and tokens for programs">
      <Tabs value={parameters.get("tab") ?? "users"} onChange={(tab) => { setParameters(tab === "tokens" ? { tab } : {}); }}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="users">Users</Tabs.Tab>
          <Tabs.Tab value="tokens">My API tokens</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="users"><UsersPanel /></Tabs.Panel>
        <Tabs.Panel value="tokens"><TokensPanel /></Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function UsersPanel() {
  const { data, error, refetch } = useUsers();
  const [isAdding, setAdding] = useState(false);
  const isFirst = data?.length === 0;
  return (
    <Stack gap="md">
      {error !== null && data === undefined && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {error === null && data === undefined && <Skeleton h={160} />}
      {isFirst && (
        <Empty icon={<IconUserPlus size={40} stroke={1.4} />} title="Nobody has to log in yet">
          <p>
            Without users this node works for this machine alone, and everyone at it is the administrator. Add the first
            user to let others in over the network: login starts with that, on this machine too.
          </p>
          <Button leftSection={<IconPlus size={16} />} onClick={() => { setAdding(true); }}>Add the first user</Button>
        </Empty>
      )}
      {data !== undefined && !isFirst && (
        <>
          <div>
            <Button leftSection={<IconPlus size={16} />} onClick={() => { setAdding(true); }}>Add a user</Button>
          </div>
          <UserTable users={data} />
          <Roles />
        </>
      )}
      {isAdding && <AddUser isFirst={isFirst === true} onClose={() => { setAdding(false); }} />}
    </Stack>
  );
}

function Roles() {
  return (
    <Panel title="What the roles may do" maw={760} mt="md">
      <Facts rows={ROLES.map((role) => [ROLE_WORDS[role], ROLE_MEANS[role]])} />
    </Panel>
  );
}
