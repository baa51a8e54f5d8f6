/** Pages from the bundle: read once, served with a policy that lets nothing else in. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance, FastifyReply } from "fastify";

/** Where `npm run build` leaves the bundle, in a clone and in the package. */
const BUNDLE = fileURLToPath(new URL("../build/dashboard/", import.meta.url));

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** No script or style but the bundle's, no request but to this server, no frame, no form. */
const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types verisum",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
} as const;

/** Of the verifier's worker: WebAssembly, and the endpoints and gateways that its address names: the reader's. */
function workerPolicy(query: unknown): string {
  const { rpc, gateway } = query as Readonly<Record<string, string | readonly string[] | undefined>>;
  const origins = [rpc, gateway].flat().flatMap((url) => originOf(url));
  return `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${[...new Set(origins)].join(" ")}`;
}

/** Of one host, as a policy reads it: hosts of URLs may hold `*`, which names all, and `;`, which ends a directive. */
const ONE_ORIGIN = /^https?:\/\/[\w.:[\]-]+$/;

/** Nothing for what is no URL of HTTP, or of no single host. */
function originOf(url: string | undefined): readonly string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { origin } = new URL(url);
  return ONE_ORIGIN.test(origin) ? [origin] : [];
}

const WORKER = /\/worker-[\w-]+\.js$/;

/** A year: a file's name changes with its content. */
const FOR_EVER = "public, max-age=31536000, immutable";

interface BundledFile {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** Whose machine a dashboard runs on: its reader's own, or that of somebody who has a part in the task. */
export type ServedBy = "reader" | "aggregator";

/** Adds the dashboard's pages to a gateway. @param folder of the bundle */
export async function addDashboardPages(
  app: FastifyInstance,
  { folder = BUNDLE, servedBy = "reader" }: { readonly folder?: string; readonly servedBy?: ServedBy } = {},
): Promise<void> {
  await addBundledPage(app, "index.html", ["/", "/task/:task", "/task/:task/verify", "/task/:task/round/:round"], {
    folder,
    servedBy,
  });
}

/**
 * Adds one page of the bundle, and the files that pages load.
 * @param urls that the page answers at
 * @param bundle its folder: where there is none, the page says how to make it; and what the page says of its server
 */
export async function addBundledPage(
  app: FastifyInstance,
  name: string,
  urls: readonly string[],
  { folder, servedBy }: { readonly folder: string; readonly servedBy: ServedBy } = {
    folder: BUNDLE,
    servedBy: "reader",
  },
): Promise<void> {
  const files = await bundledFiles(folder);
  const page = saying(servedBy, files.get(name));
  const answer = (file: BundledFile | undefined, reply: FastifyReply, headers: Headers): FastifyReply => {
    if (file === undefined)
      return reply.status(503).type("text/plain; charset=utf-8").send("The pages are not built: run npm run build.\n");
    return reply
      .headers({ ...PAGE_HEADERS, ...headers })
      .type(file.mediaType)
      .send(file.bytes);
  };
  const get = (url: string, file: BundledFile | undefined, headersFor: (query: unknown) => Headers): void =>
    void app.route({
      method: ["GET", "HEAD"],
      url,
      handler: ({ query }, reply) => answer(file, reply, headersFor(query)),
    });
  for (const url of urls) get(url, page, () => ({ "cache-control": "no-cache" }));
  for (const [path, file] of files)
    if (!path.endsWith(".html"))
      get(`/${path}`, file, (query) => ({
        "cache-control": FOR_EVER,
        ...(WORKER.test(path) ? { "content-security-policy": workerPolicy(query) } : {}),
      }));
}

/** The page with its server's name in it: read before any script runs. */
function saying(servedBy: ServedBy, page: BundledFile | undefined): BundledFile | undefined {
  if (page === undefined) return undefined;
  const html = new TextDecoder().decode(page.bytes).replace("<html ", `<html data-served-by="${servedBy}" `);
  return { ...page, bytes: new TextEncoder().encode(html) };
}

type Headers = Readonly<Record<string, string>>;

/** By path inside the bundle. */
async function bundledFiles(folder: string): Promise<ReadonlyMap<string, BundledFile>> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = new Map<string, BundledFile>();
  for (const name of names) {
    const mediaType = MEDIA_TYPES[name.split(".").at(-1)!];
    if (mediaType === undefined) continue;
    files.set(name.replaceAll("\\", "/"), { bytes: await readFile(join(folder, name)), mediaType });
  }
  return files;
}
