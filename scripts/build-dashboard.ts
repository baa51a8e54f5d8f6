/**
 * Bundles the dashboard's pages into `build/dashboard`, with the SHA-256 of each file beside them: the same sources
 * give the same bytes.
 *
 *   node bin/bootstrap.mjs scripts/build-dashboard.ts
 */
import { buildPages } from "./pages/build-pages.ts";

await buildPages();
