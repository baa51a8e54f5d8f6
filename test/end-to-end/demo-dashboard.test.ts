import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "mocha";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { findChromium } from "../support/browser.ts";
import { complaintsOf, violationsIn } from "../support/page-checks.ts";

const PICTURES = process.env["SCREENSHOTS"];
const executablePath = findChromium();
const title = "the demo's dashboard, in headless Chromium";
const ADDRESS = /dashboard at (http:\/\/127\.0\.0\.1:[0-9]+)\//;

const STAGES = ["Collecting", "Checking", "Adding up"];

/**
 * Keeps, in the page, which stages it showed as the present one, each change once: a round on a fast chain passes a
 * stage between two looks of a test, or between two of the page's own.
 */
const RECORD_STAGES = `
  const shown = [];
  globalThis.shown = shown;
  new MutationObserver(() => {
    const stage = document.querySelector("li.present b")?.textContent;
    if (stage !== undefined && shown.at(-1) !== stage) shown.push(stage);
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
`;

(executablePath === undefined ? describe.skip : describe)(
  executablePath === undefined ? `${title} (no Chromium found; CHROMIUM_BIN names one)` : title,
  function () {
    this.timeout(600_000);
    let demo: ChildProcess;
    let browser: Browser;
    let url: string;
    const said: string[] = [];
    let stays: Promise<unknown>;

    before(async () => {
      demo = spawn(process.execPath, ["demo/demo.ts", "--plain", "--stay", "--clients", "3", "--rounds", "1"], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const lines = createInterface({ input: demo.stdout! });
      lines.on("line", (line) => said.push(line));
      stays = new Promise((resolve) => lines.on("line", (line) => line.includes("stays at") && resolve(line)));
      const found = new Promise<string>((resolve, reject) => {
        lines.on("line", (line) => {
          const [, address] = ADDRESS.exec(line) ?? [];
          if (address !== undefined) resolve(address);
        });
        demo.once("exit", (code) => reject(new Error(`the demo ended with ${String(code)}:\n${said.join("\n")}`)));
      });
      url = await found;
      browser = await chromium.launch({
        executablePath: executablePath!,
        args: ["--no-sandbox", "--disable-background-networking"],
      });
    });
    after(async () => {
      await browser?.close();
      if (demo.exitCode !== null) return;
      demo.kill("SIGINT");
      await once(demo, "exit");
    });

    it("shows a whole round from its opening to finality, without being loaded again", async () => {
      const page: Page = await browser.newPage({ viewport: { width: 1100, height: 900 }, locale: "en-GB" });
      const complaints = complaintsOf(page);
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      await page.addInitScript(RECORD_STAGES);
      await page.goto(`${url}/`);
      await page.getByRole("link", { name: /digits/i }).click({ timeout: 120_000 });
      await page.locator("li.present").waitFor({ timeout: 300_000 });
      if (PICTURES !== undefined) {
        mkdirSync(PICTURES, { recursive: true });
        await page.screenshot({ path: join(PICTURES, "demo-round.png"), fullPage: true });
      }
      await page.getByRole("heading", { name: "Complete" }).waitFor({ timeout: 300_000 });
      const shown = await page.evaluate<string[]>("shown");
      assert.equal(shown[0], "Collecting");
      assert.deepEqual(
        shown,
        STAGES.filter((stage) => shown.includes(stage)),
        "stages out of order",
      );
      await page.locator("td .state.done", { hasText: "final" }).waitFor();
      await page.getByText("3 of 3", { exact: true }).first().waitFor();
      await page.getByText("This page comes from the task’s aggregator, and its verdict is only as honest").waitFor();
      await page.getByText(/npm run fl -- dashboard --contract 0x[0-9a-f]{40} --rpc/).waitFor();
      assert.deepEqual(await violationsIn(page), []);
      assert.deepEqual(complaints, []);
      assert.deepEqual(
        requests.filter((asked) => !asked.startsWith(`${url}/`)),
        [],
      );
      await page.close();
    });

    it("is there after the demo's end, for as long as it stays", async () => {
      assert.match(String(await stays), new RegExp(`dashboard stays at ${url}/`));
      assert.equal((await fetch(`${url}/api/tasks`)).status, 200);
    });
  },
);
