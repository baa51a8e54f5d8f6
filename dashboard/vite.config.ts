/** How the pages are bundled: into files named by their content. Nothing is inline: the page's policy allows none. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  publicDir: false,
  envDir: false,
  logLevel: "warn",
  build: {
    outDir: fileURLToPath(new URL("../build/dashboard", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: ["index.html", "participate.html"].map((page) => fileURLToPath(new URL(page, import.meta.url))),
    },
  },
});
