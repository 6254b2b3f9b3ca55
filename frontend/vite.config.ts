import { createHash } from "node:crypto";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where a Radfuse serves while the console is worked on. */
const service = process.env.RADFUSE_URL ?? "http://localhost:8042";

/** Several development servers may run from this folder, each against a service of its own. */
const cache = createHash("sha256").update(service).digest("hex").slice(0, 8);

// changeOrigin: the service answers only to the name it is reached by.
const proxied = { target: service, changeOrigin: true, headers: { origin: service } };

export default defineConfig({
  plugins: [react()],
  cacheDir: `node_modules/.vite/${cache}`,
  server: { proxy: { "/api": proxied, "/dicom-web": proxied, "/databases": proxied } },
  build: {
    outDir: process.env.RADFUSE_STATIC ?? "../src/radfuse/web/static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    reportCompressedSize: false,
    // Everything is a file of its own: the service's Content-Security-Policy allows no inline scripts.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What changes with an upgrade of a library only, apart from what changes with every release.
            { name: "react", test: /node_modules\/(react|react-dom|react-router|react-router-dom|scheduler)\//, priority: 2 },
            // What several pages need is one file: a file for each button would be fetched one by one.
            { name: "shared", minShareCount: 3, priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    css: false,
    // People's formats are those of their browser; tests need one.
    env: { TZ: "UTC", LANG: "en_GB.UTF-8", LC_ALL: "en_GB.UTF-8" },
    restoreMocks: true,
    unstubGlobals: true,
    // On a machine that does other things as well, drawing whole pages takes its time.
    testTimeout: 30_000,
    projects: [
      // Logic needs no browser, and its files may share what they import.
      {
        extends: true,
        test: { name: "logic", environment: "node", isolate: false, include: ["src/**/*.test.ts"] },
      },
      {
        extends: true,
        test: { name: "pages", environment: "jsdom", setupFiles: ["src/test/setup.ts"], include: ["src/**/*.test.tsx"] },
      },
    ],
  },
});
