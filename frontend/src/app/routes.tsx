/** Every page, each read when it is first shown. */
import { lazy, type ComponentType, type ReactNode } from "react";
import { createBrowserRouter, type RouteObject } from "react-router-dom";

import { NotFound, RouteError } from "./RouteError";
import { Root } from "./Root";
import { Shell } from "./Shell";
import { Waiting } from "./Waiting";

type Load = () => Promise<{ default: ComponentType }>;

const LOADS = {
  "": () => import("../pages/studies/StudiesPage"),
  query: () => import("../pages/query/QueryPage"),
  jobs: () => import("../pages/jobs/JobsPage"),
  peers: () => import("../pages/peers/PeersPage"),
  rules: () => import("../pages/rules/RulesPage"),
  settings: () => import("../pages/settings/SettingsPage"),
  users: () => import("../pages/users/UsersPage"),
  audit: () => import("../pages/audit/AuditPage"),
  status: () => import("../pages/status/StatusPage"),
  login: () => import("../pages/login/LoginPage"),
  workstation: () => import("../workstation/pages/WorkstationPage"),
} satisfies Record<string, Load>;

/** Read a page's files beside what comes before it: who one is need not be known for that. */
export function preload(pathname: string): void {
  const loads: Partial<Record<string, Load>> = LOADS;
  // What fails now fails again when the page is shown, and is said there.
  loads[pathname.split("/")[1] ?? ""]?.().catch(() => undefined);
}

/** Read all pages' files, one after the other: going to one is instant then. The workstation's are read with a study. */
export async function preloadAll(): Promise<void> {
  for (const [name, load] of Object.entries(LOADS)) if (name !== "workstation") await load().catch(() => undefined);
}

function page(load: Load): ReactNode {
  const Shown = lazy(load);
  return (
    <Waiting>
      <Shown />
    </Waiting>
  );
}

const PAGES: RouteObject[] = [
  { index: true, element: page(LOADS[""]) },
  { path: "query", element: page(LOADS.query) },
  // One route for the list and for a job in it: opening one does not make the list anew.
  { path: "jobs/:id?", element: page(LOADS.jobs) },
  { path: "peers", element: page(LOADS.peers) },
  { path: "rules", element: page(LOADS.rules) },
  { path: "settings/:section?", element: page(LOADS.settings) },
  { path: "users", element: page(LOADS.users) },
  { path: "audit", element: page(LOADS.audit) },
  { path: "status", element: page(LOADS.status) },
  { path: "*", element: <NotFound /> },
];

export const routes: RouteObject[] = [
  { path: "/login", element: page(LOADS.login), errorElement: <RouteError /> },
  {
    path: "/",
    element: <Root />,
    errorElement: <RouteError />,
    children: [
      { path: "workstation/:id", element: page(LOADS.workstation), errorElement: <RouteError /> },
      {
        element: <Shell />,
        children: PAGES.map((each) => ({ ...each, errorElement: <RouteError /> }) as RouteObject),
      },
    ],
  },
];

export function makeRouter() {
  return createBrowserRouter(routes);
}
