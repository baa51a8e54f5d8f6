import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axeCore from "axe-core";
import type { FastifyInstance } from "fastify";
import { after, before, describe, it } from "mocha";
import { chromium } from "playwright-core";
import type { Browser, Page, Route } from "playwright-core";
import { addDashboardPages } from "../../auditor/bundled-pages.ts";
import { auditTask } from "../../auditor/audit-task.ts";
import { savedReportIn } from "../../auditor/report/saved-report.ts";
import { verdictOf } from "../../auditor/verdict.ts";
import type { Verdict } from "../../auditor/verdict.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { createGateway } from "../../content/gateway.ts";
import type { Database } from "../../indexer/database/database.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { addApi } from "../../indexer/api/serve-api.ts";
import { claimedOrigin, claimedSetup } from "../../task/keys-claim.ts";
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
      // As fl verify audits: with where the keys come from.
      const { task } = await harness.auditor();
      const origin = claimedOrigin(await claimedSetup(task));
      const { verifier, operator } = harness;
      const audit = await auditTask(task, { verifier, origin: async () => origin.says });
      assert.deepEqual(
        { ...verdict, processorMs: 0 },
        JSON.parse(JSON.stringify(verdictOf(audit, { processorMs: 0, context: operator.context, origin }))),
      );
      assert.equal(verdict.ok, true);
      await page.getByText("Proving keys: They were made on one machine, for development.").waitFor();
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
      assert.deepEqual(await violationsOf(page), []);
      console.log(
        `      ${(verdict.processorMs / 1000).toFixed(2)} s of checks, ${(milliseconds / 1000).toFixed(1)} s in all`,
      );
      await page.context().close();
    });

    it("saves a report that is read again without anybody's answer, and is not taken for a fresh verdict", async () => {
      const { page } = await verify();
      const save = async (name: string): Promise<string> => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name }).click(),
        ]);
        const path = join(folder, download.suggestedFilename());
        await download.saveAs(path);
        return path;
      };
      const [html, json] = [await save("Save the report"), await save("Save as JSON")];
      const { chainId, contract } = harness.operator.context;
      const saved = savedReportIn(await readFile(json, "utf8"), { chainId: chainId.toString(), contract });
      assert.equal(saved?.report?.rounds[0]?.state, "verified");
      await page.goto(`${url}/task/${chainId}-${contract}/verify`);
      await page.context().setOffline(true);
      await page.locator("input[type=file]").setInputFiles(json);
      await page.getByText("Saved: Verified").waitFor();
      await page.getByText("nothing was checked here").waitFor();
      assert.equal(await page.locator(".verdict.good").count(), 0);
      await page.getByRole("heading", { name: "What was proven" }).waitFor();
      assert.deepEqual(await violationsOf(page), []);
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, "verify-saved.png"), fullPage: true });
      await page.context().close();
      for (const colorScheme of ["light", "dark"] as const) {
        // The file alone, where scripts may run; none is there.
        const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 844 } });
        const asked: string[] = [];
        context.on("request", (request) => asked.push(request.url()));
        const alone = await context.newPage();
        const complaints: string[] = [];
        alone.on("console", (message) => complaints.push(message.text()));
        await alone.goto(`file://${html}`);
        await alone.getByText("Not verified").waitFor({ state: "detached" });
        await alone.getByRole("heading", { name: "What was proven" }).waitFor();
        assert.deepEqual(await violationsOf(alone), []);
        assert.deepEqual([asked, complaints], [[`file://${html}`], []]);
        const overflow = await alone.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert.ok((overflow as number) <= 0, `${String(overflow)} pixels too wide`);
        if (PICTURES !== undefined)
          await alone.screenshot({ path: join(PICTURES, `report-${colorScheme}.png`), fullPage: true });
        await context.close();
      }
    });

    it("is red if one byte of a release is another", async () => {
      const { released } = await harness.operator.records(1n);
      const cid = released[0]!.releaseCid.slice(2);
      const { page, verdict } = await verify(({ body }, answer) => {
        if (body === null || !body.includes("eth_getLogs")) return answer;
        const digit = cid.at(-1) === "0" ? "1" : "0";
        return Buffer.from(answer.toString("utf8").replaceAll(cid, cid.slice(0, -1) + digit));
      });
      assert.deepEqual(redOf(verdict), ["releases AUDIT_FAILED"]);
      // The second reading replaces the first: nothing is listed twice.
      assert.equal(await page.locator(".checklist .red").count(), 1);
      await page.context().close();
    });

    it("is red if one byte of a submission's event is another", async () => {
      const topic = VERISUM_INTERFACE.getEvent("Submitted")!.topicHash;
      const { page, verdict } = await verify(({ body }, answer) => {
        if (body === null || !body.includes("eth_getLogs")) return answer;
        const text = answer.toString("utf8");
        // The y of a proof, which the intake does not hold: a reader refuses answers that alter what it holds.
        const at = text.indexOf('"data":"', text.lastIndexOf(topic) - 20_000 < 0 ? 0 : text.indexOf(topic));
        const place = text.indexOf('"data":"', at) + 8 + 2 + 64 * 28 + 63;
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

async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeCore.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
}

/** Checks that are red, with their codes. */
function redOf(verdict: Verdict | undefined): readonly string[] {
  assert.ok(verdict !== undefined);
  return verdict.findings.filter(({ ok }) => !ok).map(({ check, code }) => `${check} ${code}`);
}

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
