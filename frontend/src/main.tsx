import "@mantine/core/styles.layer.css";
import "@mantine/dates/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "./app/global.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { preload, preloadAll } from "./app/routes";

// After an upgrade the files of the version that this page belongs to are gone: the new one is read, once.
window.addEventListener("vite:preloadError", (event) => {
  // Work that is not kept yet stays on the screen: a lost connection looks the same from here.
  if (window.location.pathname.startsWith("/workstation/")) return;
  const key = "radfuse-reloaded-at";
  const last = Number(sessionStorage.getItem(key) ?? 0);
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem(key, String(Date.now()));
  event.preventDefault();
  window.location.reload();
});

const IDLE_AFTER_MS = 4000;

preload(window.location.pathname);
window.setTimeout(() => void preloadAll(), IDLE_AFTER_MS);

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
