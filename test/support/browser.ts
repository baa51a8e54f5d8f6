/** A headless Chromium that opens one bundled page from loopback, and the page's answer. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { chromium } from "playwright-core";

/** Where distributions put it, after what the environment names. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** A page's own script and its WebAssembly, and nothing that was text before. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/** The program, or undefined where there is none. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return [environment["CHROMIUM_BIN"], ...PLACES].find((path) => path !== undefined && existsSync(path));
}

/**
 * One script of these files and all that they import, for a browser as it is: without Node's modules or stand-ins.
 * @throws esbuild's failure, naming the file that imports what a browser does not have
 */
export async function bundle(source: string, folder: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: folder, loader: "ts" },
    bundle: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

/**
 * Opens a page with this script and waits for what it posts to `/report`.
 * @param files what the script can fetch, by path
 */
export async function reportOfPage(
  executablePath: string,
  script: string,
  files: ReadonlyMap<string, string>,
): Promise<unknown> {
  let resolve: (report: string) => void;
  const promise = new Promise<string>((posted) => (resolve = posted));
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (request.method === "POST" && path === "/report") {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => (body += part));
      request.on("end", () => {
        response.end();
        resolve(body);
      });
      return;
    }
    const types: Readonly<Record<string, string>> = { "/": "text/html", "/page.js": "text/javascript" };
    const text = path === "/" ? '<!doctype html><script type="module" src="/page.js"></script>' : files.get(path);
    response.writeHead(path === "/page.js" || text !== undefined ? 200 : 404, {
      "content-type": types[path] ?? "application/json",
      "content-security-policy": POLICY,
    });
    response.end(path === "/page.js" ? script : text);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return JSON.parse(await Promise.race([promise, failed])) as unknown;
  } finally {
    await browser.close();
    server.close();
  }
}
