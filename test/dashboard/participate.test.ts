import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcProvider, parseEther, Wallet } from "ethers";
import { after, before, describe, it } from "mocha";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openPage } from "../../client/page/open-page.ts";
import type { PageState } from "../../client/page/state.ts";
import { loadDataset } from "../../learning/dataset.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { encodeInvitation, makeInvitation } from "../../task/invitation.ts";
import { findChromium } from "../support/browser.ts";
import { complaintsOf, overflowOf, violationsIn } from "../support/page-checks.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";
import { createRecorder } from "../support/round-recorder.ts";

const PICTURES = process.env["SCREENSHOTS"];
const executablePath = findChromium();
const title = "a participant who never sees a terminal, in headless Chromium";
const PASSWORD = "correct horse battery";
const ROWS = 200;

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

/** The digits as somebody's table. */
async function digitsTable(): Promise<string> {
  const { train } = await loadDataset("digits?client=0&clients=5&seed=3");
  const width = train.features.length / train.exampleCount;
  const head = [...Array.from({ length: width }, (_, i) => `pixel${i}`), "digit"].join(",");
  const rows = Array.from({ length: ROWS }, (_, row) =>
    [...train.features.slice(row * width, (row + 1) * width), `d${train.labels[row]}`].join(","),
  );
  return [head, ...rows, ""].join("\n");
}

(executablePath === undefined ? describe.skip : describe)(
  executablePath === undefined ? `${title} (no Chromium found; CHROMIUM_BIN names one)` : title,
  function () {
    this.timeout(400_000);
    this.bail(true);
    let harness: RoundHarness;
    let browser: Browser;
    let folder: string;
    let table: string;
    let serving: Promise<unknown>;
    const controller = new AbortController();
    const addresses: string[] = [];
    const answers: string[] = [];
    let page: Page;
    let complaints: readonly string[];
    const requests: string[] = [];
    let account: Hex;

    before(async () => {
      if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true });
      harness = await startHarness({ clients: 3, learning: "scripted" });
      folder = await mkdtemp(join(tmpdir(), "verisum-participant-"));
      table = join(folder, "my digits.csv");
      await writeFile(table, await digitsTable());
      const flags = { port: 0, state: join(folder, "page"), confirmations: 0, browser: false, format: "text" } as const;
      const listening = new Promise<void>((resolve) => {
        serving = openPage(flags, createRecorder(), controller.signal, (address) => {
          addresses.push(address);
          resolve();
        }).catch((error: unknown) => error);
      });
      await listening;
      browser = await chromium.launch({
        executablePath: executablePath!,
        args: ["--no-sandbox", "--disable-background-networking"],
      });
    });
    after(async () => {
      await browser.close();
      controller.abort();
      await serving;
      await harness.close();
      await rm(folder, { recursive: true });
    });

    const originOf = (address: string): string => new URL(address).origin;

    async function open(address: string, options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, locale: "en-GB", ...options });
      context.on("request", (request) => requests.push(request.url()));
      context.on(
        "response",
        (response) =>
          void response.text().then(
            (text) => answers.push(text),
            () => undefined,
          ),
      );
      // What the program does at a click takes two cores their time beside other tests.
      context.setDefaultTimeout(120_000);
      const opened = await context.newPage();
      complaints = complaintsOf(opened);
      await opened.goto(address);
      return opened;
    }

    /** Nobody is kept out in any look, and nothing goes wrong. */
    async function check(name: string): Promise<void> {
      for (const [look, colorScheme, width] of [
        ["light", "light", 1100],
        ["dark", "dark", 1100],
        ["phone", "light", 390],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        if (PICTURES !== undefined)
          await page.screenshot({ path: join(PICTURES, `participate-${name}-${look}.png`), fullPage: true });
        assert.deepEqual(await violationsIn(page), [], `${name}, ${look}`);
        const overflow = await overflowOf(page);
        assert.ok(overflow <= 0, `${name}, ${look} is ${overflow} pixels too wide`);
      }
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 1100, height: 900 });
      assert.deepEqual(complaints, [], name);
    }

    it("makes an account, whose key is encrypted on the disk", async () => {
      page = await open(addresses[0]!);
      await page.getByRole("heading", { name: "Your account" }).waitFor();
      assert.equal(new URL(page.url()).hash, "", "the code is out of the address");
      await check("account");
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Make the account" }).click();
      await page.getByRole("button", { name: /Copy address/ }).waitFor();
      const keystore = await readFile(join(folder, "page", "account.json"), "utf8");
      const wallet = await Wallet.fromEncryptedJson(keystore, PASSWORD);
      account = wallet.address.toLowerCase() as Hex;
      assert.equal(await page.getByRole("button", { name: /Copy address/ }).getAttribute("title"), account);
    });

    it("says what is wrong with a chain, and finds the task at the right one", async () => {
      await page.getByRole("button", { name: "I know its contract" }).click();
      await page.getByLabel("Contract").fill(harness.contract);
      await page.getByLabel("Chain endpoint (JSON-RPC)").fill(harness.chain.rpc);
      await page.getByLabel("A node of the task, if the operator named one").fill(harness.aggregator.url);
      await page.getByLabel("Chain id, to refuse any other chain").fill("1");
      await page.getByRole("button", { name: "Look at the task" }).click();
      await page.getByText("CHAIN_WRONG_NETWORK").waitFor();
      await check("wrong-chain");
      await page.getByLabel("Chain id, to refuse any other chain").fill("");
      await page.getByRole("button", { name: "Look at the task" }).click();
      await page.getByText("tiny digits").waitFor();
      await page.getByText("The operator has not listed this account").waitFor();
      await page.getByText("The account has too little for a round").waitFor();
      await check("unlisted");
    });

    it("connects a table, and fits once the label is picked", async () => {
      await page.locator("input[type=file]").setInputFiles(table);
      await page.getByRole("button", { name: "Connect" }).click();
      await page.getByText("my digits.csv").waitFor();
      await page.getByText(`${ROWS} rows, 65 columns`).waitFor();
      assert.equal(await page.getByRole("button", { name: "Agree and start" }).count(), 0);
      await check("no-label");
      await page.getByLabel("The column to be predicted").selectOption("digit");
      await page.getByText("DATASET_CLASSES_UNSTATED").waitFor();
      await page
        .getByLabel("All classes in the task’s order, with commas between")
        .fill(Array.from({ length: 10 }, (_, i) => `d${i}`).join(","));
      await page.getByRole("button", { name: "Take these classes" }).click();
      await page.getByText("The task takes 64 inputs and 10 classes; here are 64 and 10 classes: it fits.").waitFor();
      await page.getByText("10 classes", { exact: true }).click();
      await check("data");
    });

    it("notices that the account is listed and has funds", async () => {
      const wallet = harness.chain.wallet(0);
      await harness.operator.registerClient(account, 1);
      const provider = new JsonRpcProvider(harness.chain.rpc, undefined, { cacheTimeout: -1 });
      await (await wallet.connect(provider).sendTransaction({ to: account, value: parseEther("1") })).wait();
      provider.destroy();
      await page.getByText("The operator has not listed this account").waitFor({ state: "detached" });
      await page.getByText("The account has too little for a round").waitFor({ state: "detached" });
      await check("ready");
    });

    it("takes part by one click, and sees its contribution accepted and counted", async () => {
      await page.getByRole("button", { name: "Agree and start" }).click();
      await page.getByText("Taking part", { exact: true }).last().waitFor();
      const state = await harness.play(["Collecting"]);
      await page.getByRole("cell", { name: "accepted" }).waitFor({ timeout: 200_000 });
      await check("accepted");
      await harness.play(["Finalised"], state.number);
      await page.getByRole("cell", { name: "counted" }).waitFor();
      const { submitted } = await harness.operator.records(state.number);
      assert.ok(submitted.some(({ client }) => client.toLowerCase() === account));
      const left = page.getByLabel("What left this machine");
      assert.match(await left.innerText(), /Rows of data\s*0\s*Proofs\s*[1-9][0-9.]* K?i?B\s*Encrypted shares\s*[1-9]/);
      await check("counted");
    });

    it("pauses, survives being loaded again, goes on, and stops", async () => {
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("Paused", { exact: true }).waitFor();
      await page.reload();
      await page.getByText("Paused", { exact: true }).waitFor();
      await check("paused");
      await page.getByRole("button", { name: "Go on" }).click();
      await page.getByRole("button", { name: "Pause" }).waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByRole("button", { name: "I have an invitation" }).waitFor();
    });

    it("comes back by an invitation, and not by one that somebody changed", async () => {
      const terms = { endpoints: [harness.chain.rpc], peers: [harness.aggregator.url], expires: inAnHour() };
      const text = encodeInvitation(await makeInvitation(harness.chain.wallet(0), harness.operator, terms));
      const invited = async (said: string): Promise<void> => {
        await page
          .getByLabel("The invitation’s file")
          .setInputFiles({ name: "invitation.json", mimeType: "application/json", buffer: Buffer.from(said) });
        await page.getByRole("button", { name: "Look at the task" }).click();
      };
      await invited(text.replace(harness.chain.rpc, "http://127.0.0.1:9"));
      await page.getByText("INVITATION_REFUSED").waitFor();
      await check("invitation-refused");
      await invited(text);
      await page.getByText("tiny digits").waitFor();
      await check("invited");
    });

    it("opens one window by each address", async () => {
      const kept = page;
      const again = await open(addresses[0]!);
      await again.getByRole("heading", { name: "This window is not open" }).waitFor();
      assert.deepEqual(await violationsIn(again), []);
      await again.context().close();
      assert.equal(addresses.length, 2);
      const next = await open(addresses[1]!);
      await next.getByRole("heading", { name: "Take part" }).waitFor();
      await next.context().close();
      page = kept;
    });

    it("has told nobody the key or the password, and asked nobody but its own program", async () => {
      const keystore = await readFile(join(folder, "page", "account.json"), "utf8");
      const { privateKey } = await Wallet.fromEncryptedJson(keystore, PASSWORD);
      assert.ok(answers.length > 10);
      for (const secret of [privateKey.slice(2), PASSWORD, "ciphertext"])
        assert.ok(!answers.some((text) => text.includes(secret)), secret.slice(0, 4));
      const own = addresses.map(originOf);
      assert.deepEqual(
        requests.filter((url) => !own.some((origin) => url.startsWith(`${origin}/`))),
        [],
      );
      const states = answers
        .filter((text) => text.startsWith('{"revision"'))
        .map((text) => JSON.parse(text) as PageState);
      assert.ok(states.every(({ left }) => left.rows === 0));
    });
  },
);
