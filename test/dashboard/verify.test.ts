import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axeCore from "axe-core";
import type { FastifyInstance } from "fastify";
import { after, before, describe, it } from "mocha";
import { chromium } from "playwright-core";
import type { Browser, Page, Route } from "playwright-core";
import { addDashboardPages } from "../../auditor/dashboard-pages.ts";
import { verdictOf } from "../../auditor/verdict.ts";
import type { Verdict } from "../../auditor/verdict.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { createGateway } from "../../content/gateway.ts";
import type { Database } from "../../indexer/database/database.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { addApi } from "../../indexer/api/serve-api.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import { findChromium } from "../support/browser.ts";
import { NOTHING_SERVED } from "../support/empty-gateway.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const PICTURES = process.env["SCREENSHOTS"];
const executablePath = findChromium();
const title = "a task of five clients, verified in headless Chromium by the auditor's own code";

/** What comes in place of an answer of the chain or of a gateway. */
type Alter = (request: { readonly url: string; readonly body: string | null }, answer: Buffer) => Buffer;

(executablePath === undefined ? describe.skip : describe)(
  executablePath === undefined ? `${title} (no Chromium found; CHROMIUM_BIN names one)` : title,
  function () {
    this.timeout(300_000);
    let harness: RoundHarness;
    let browser: Browser;
    let app: FastifyInstance;
    let database: Database;
    let folder: string;
    let url: string;

    before(async () => {
      harness = await startHarness({ clients: 5, learning: "scripted" });
      await harness.playRound();
      folder = await mkdtemp(join(tmpdir(), "verisum-verify-"));
      database = await openDatabase(join(folder, "index.sqlite"));
      app = createGateway(NOTHING_SERVED);
      addApi(app, { database, now: () => 0 });
      await addDashboardPages(app);
      url = await app.listen({ host: "127.0.0.1", port: 0 });
      browser = await chromium.launch({
        executablePath: executablePath!,
        args: ["--no-sandbox", "--disable-background-networking"],
      });
    });
    after(async () => {
      await browser.close();
      await app.close();
      await database.close();
      await harness.close();
      await rm(folder, { recursive: true });
    });

    /** Fills the form and waits for the outcome. */
    async function verify(alter?: Alter): Promise<{
      readonly page: Page;
      readonly requests: readonly string[];
      readonly complaints: readonly string[];
      readonly verdict: Verdict | undefined;
    }> {
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, acceptDownloads: true });
      const [requests, complaints]: string[][] = [[], []];
      context.on("request", (request) => requests!.push(request.url()));
      context.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints!.push(message.text());
      });
      if (alter !== undefined)
        for (const place of [harness.chain.rpc, harness.aggregator.url])
          await context.route(`${place}/**`, (route) => altered(route, alter));
      const page = await context.newPage();
      const { chainId, contract } = harness.operator.context;
      await page.goto(`${url}/task/${chainId}-${contract}/verify`);
      await page.getByLabel("Chain endpoint (JSON-RPC)").fill(harness.chain.rpc);
      await page.getByLabel("Gateways, one a line").fill(harness.aggregator.url);
      await page.getByRole("button", { name: "Verify in this browser" }).click();
      const outcome = page.locator(".verdict, .notice.failure");
      await outcome.waitFor({ timeout: 200_000 });
      const save = page.getByRole("button", { name: "Save as JSON" });
      if ((await save.count()) === 0) return { page, requests: requests!, complaints: complaints!, verdict: undefined };
      const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
      const saved = JSON.parse(await readFile(await download.path(), "utf8")) as { readonly data: Verdict };
      return { page, requests: requests!, complaints: complaints!, verdict: saved.data };
    }

    it("is green, with the verdict that fl verify gives, and asks nobody but those who were named", async () => {
      const started = performance.now();
      const { page, requests, complaints, verdict } = await verify();
      const milliseconds = performance.now() - started;
      assert.ok(verdict !== undefined, `${complaints.join("\n")}\n${await page.locator("main").innerText()}`);
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, "verify-green.png"), fullPage: true });
      const audit = await harness.audit();
      const { context } = harness.operator;
      assert.deepEqual(
        { ...verdict, processorMs: 0 },
        JSON.parse(JSON.stringify(verdictOf(audit, { processorMs: 0, context }))),
      );
      assert.equal(verdict.ok, true);
      const others = requests.filter(
        (asked) => ![url, harness.chain.rpc, harness.aggregator.url].some((place) => asked.startsWith(place)),
      );
      assert.deepEqual(
        others.filter((asked) => !asked.startsWith("blob:")),
        [],
      );
      assert.deepEqual(
        complaints.filter((text) => !text.includes("404")),
        [],
      );
      await page.evaluate(axeCore.source);
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
        return (await axe.run()).violations.map(({ id }) => id);
      });
      assert.deepEqual(violations, []);
      console.log(
        `      ${(verdict.processorMs / 1000).toFixed(2)} s of checks, ${(milliseconds / 1000).toFixed(1)} s in all`,
      );
      await page.context().close();
    });

    it("is red if one byte of a submission's event is another", async () => {
      const topic = VERISUM_INTERFACE.getEvent("Submitted")!.topicHash;
      const { page, verdict } = await verify(({ body }, answer) => {
        if (body === null || !body.includes("eth_getLogs")) return answer;
        const text = answer.toString("utf8");
        // The y of a proof, which the intake does not hold: a reader refuses answers that alter what it holds.
        const at = text.indexOf('"data":"', text.lastIndexOf(topic) - 20_000 < 0 ? 0 : text.indexOf(topic));
        const place = text.indexOf('"data":"', at) + 8 + 2 + 64 * 27 + 63;
        const digit = text[place] === "0" ? "1" : "0";
        return Buffer.from(text.slice(0, place) + digit + text.slice(place + 1));
      });
      assert.deepEqual(codesOf(verdict), ["SUBMISSION_INVALID"]);
      if (PICTURES !== undefined)
        await page.screenshot({ path: join(PICTURES, "verify-red-event.png"), fullPage: true });
      await page.context().close();
    });

    it("is red if one byte of the first checkpoint is another", async () => {
      const files = await harness.aggregator.node.store.list(cidFromDigest(harness.task.parameters.genesisCid));
      const { cid } = files.find(({ name }) => name === "state.bin")!;
      const { page, verdict } = await verify(({ url: asked }, answer) => {
        if (!asked.includes(cid)) return answer;
        const changed = Buffer.from(answer);
        changed[changed.length - 1]! ^= 1;
        return changed;
      });
      assert.deepEqual(codesOf(verdict), ["IPFS_UNAVAILABLE"]);
      if (PICTURES !== undefined)
        await page.screenshot({ path: join(PICTURES, "verify-red-file.png"), fullPage: true });
      await page.context().close();
    });

    it("says what it could not reach", async () => {
      const { page, verdict } = await verify((_request, answer) => answer.subarray(0, 0));
      assert.equal(verdict, undefined);
      await page.getByRole("heading", { name: "The verification could not be finished" }).waitFor();
      await page.context().close();
    });
  },
);

/** Of what is red, each once. */
function codesOf(verdict: Verdict | undefined): readonly (string | undefined)[] {
  assert.ok(verdict !== undefined);
  return [...new Set(verdict.findings.filter(({ ok }) => !ok).map(({ code }) => code))];
}

async function altered(route: Route, alter: Alter): Promise<void> {
  const request = route.request();
  const response = await route.fetch();
  const body = alter({ url: request.url(), body: request.postData() }, await response.body());
  await route.fulfill({ response, body });
}
