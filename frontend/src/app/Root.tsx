import { Center } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { Navigate, Outlet, useLocation } from "react-router-dom";

import { sessionEnd, useSessionQuery } from "../api/session";
import { ErrorBox } from "../ui/ErrorBox";
import { SessionContext } from "./session";
import { Patience } from "./Waiting";

/** The console for whoever is logged in; the login page for everyone else. */
export function Root() {
  const { data: session, error, isPending, refetch } = useSessionQuery();
  const client = useQueryClient();
  const location = useLocation();
  if (session) {
    return (
      <SessionContext value={session}>
        {/* In here: dialogs and messages hold links, and ask who one is. */}
        <ModalsProvider>
          <Notifications position="bottom-right" limit={4} />
          <Outlet />
        </ModalsProvider>
      </SessionContext>
    );
  }
  if (isPending) return <Patience />;
  if (session === null) {
    const end = sessionEnd(client);
    return <Navigate to="/login" replace state={end === "logout" ? null : { from: location, isExpired: end === "expired" }} />;
  }
  return (
    <Center h="100%" p="lg">
      <div style={{ maxWidth: 560 }}>
        <ErrorBox error={error} onRetry={() => void refetch()} />
      </div>
    </Center>
  );
}
