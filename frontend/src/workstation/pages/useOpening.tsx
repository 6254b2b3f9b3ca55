import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router-dom";

import { useSession } from "../../app/session";
import { When } from "../../ui";
import { startKeeping } from "../model/drafts";
import { openWorkspace, type Opened, type Wish } from "../model/opening";
import { startChecking, startReading } from "../model/reading";
import { startShowing } from "../model/showing";
import { startFollowing } from "../view/following";
import { useWorkspace } from "../model/store";
import { workstationPath } from "../path";
import { tellFindings } from "../sessions/findings";
import { noteOpened } from "../sessions/work";

/** Opens what the address names, reads its series and keeps its draft, until the page is left. */
export function useOpening(wish: Wish): { error: unknown; retry: () => void } {
  const { user } = useSession();
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const key = JSON.stringify(wish);

  useEffect(() => {
    const stops = [startReading(), startChecking(), startKeeping(), startShowing(), startFollowing()];
    return () => {
      for (const stop of stops) stop();
      useWorkspace.getState().close();
    };
  }, []);

  useEffect(() => {
    const wanted = JSON.parse(key) as Wish;
    // The address that follows a fresh opening names what is already open.
    if (wanted.id && wanted.id === useWorkspace.getState().id) return;
    let isStale = false;
    openOnce(key, wanted, user).then(
      (opened) => {
        if (isStale) return;
        const { id } = opened.workspace;
        tellFindings(opened.workspace.findings ?? []);
        if (wanted.session) noteOpened();
        if (opened.isContinued) tellContinued(opened, (path) => { void navigate(path); }, wanted);
        if (!wanted.id) void navigate(`/workstation/${id}${wanted.database ? `?database=${encodeURIComponent(wanted.database)}` : ""}`, { replace: true });
      },
      (problem: unknown) => { if (!isStale) setError(problem); },
    );
    return () => { isStale = true; };
  }, [key, user, attempt, navigate]);

  return {
    error,
    retry: () => {
      setError(null);
      setAttempt((count) => count + 1);
    },
  };
}

let under_way: { key: string; opened: Promise<Opened> } | null = null;

/** React runs effects twice while it is developed with: one opening makes one workspace. */
function openOnce(key: string, wish: Wish, user: string): Promise<Opened> {
  if (under_way?.key === key) return under_way.opened;
  const opened = openWorkspace(wish, user).finally(() => { under_way = null; });
  under_way = { key, opened };
  return opened;
}

function tellContinued({ workspace }: Opened, go: (path: string) => void, wish: Wish): void {
  const id = notifications.show({
    autoClose: 8000,
    message: (
      <Group justify="space-between" wrap="nowrap" gap="md">
        <Text size="sm">Your draft of <When seconds={workspace.changed_s} /> goes on.</Text>
        <Button
          size="compact-sm" variant="light"
          onClick={() => {
            notifications.hide(id);
            go(workstationPath(wish.study, wish.database, [], true));
          }}
        >
          Begin anew
        </Button>
      </Group>
    ),
  });
}
