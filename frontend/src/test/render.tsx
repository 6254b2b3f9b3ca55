/** Renders a component as the console does: theme, queries, router, dialogs. */
import { MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router-dom";

import { SessionContext } from "../app/session";
import { theme, variables } from "../app/theme";
import type { Session } from "../api/types";

export const ADMINISTRATOR: Session = {
  user: "ada",
  full_name: "Ada Admin",
  role: "administrator",
  mode: "login",
  is_encrypted: true,
  expires_s: null,
  version: "0.0.0",
  ae_title: "RADFUSE",
  databases: ["default"],
};

interface Options {
  session?: Session;
  at?: string;
  client?: QueryClient;
}

export function renderInConsole(children: ReactNode, options: Options = {}): RenderResult {
  const client = options.client ?? new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={client}>
      <MantineProvider theme={theme} cssVariablesResolver={variables} env="test">
        <MemoryRouter initialEntries={[options.at ?? "/"]}>
          <SessionContext value={options.session ?? ADMINISTRATOR}>
            <ModalsProvider>
              <Notifications />
              {children}
            </ModalsProvider>
          </SessionContext>
        </MemoryRouter>
      </MantineProvider>
    </QueryClientProvider>,
  );
}
