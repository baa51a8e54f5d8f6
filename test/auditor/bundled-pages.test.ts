import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { after, before, describe, it } from "mocha";
import { addDashboardPages } from "../../auditor/bundled-pages.ts";
import { createGateway } from "../../content/gateway.ts";
import { NOTHING_SERVED } from "../support/empty-gateway.ts";

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ";

describe("the policy of the verifier's worker", () => {
  let folder: string;
  let app: FastifyInstance;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-pages-"));
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "assets", "worker-abc.js"), "");
    app = createGateway(NOTHING_SERVED);
    await addDashboardPages(app, { folder });
  });
  after(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });

  async function policyFor(places: readonly (readonly ["rpc" | "gateway", string])[]): Promise<unknown> {
    const query = new URLSearchParams(places.map(([name, place]): [string, string] => [name, place])).toString();
    const url = `/assets/worker-abc.js?${query}`;
    const { headers } = await app.inject({ method: "GET", url, headers: { host: "localhost" } });
    return headers["content-security-policy"];
  }

  it("lets it reach the endpoints and gateways that its address names, each once", async () => {
    assert.equal(
      await policyFor([
        ["rpc", "http://127.0.0.1:8545/key"],
        ["gateway", "https://node.example/path"],
        ["gateway", "https://node.example/"],
        ["gateway", "http://[::1]:8080"],
      ]),
      `${POLICY}http://127.0.0.1:8545 https://node.example http://[::1]:8080`,
    );
  });

  for (const [what, url] of [
    ["ends the directive", "http://node.example;sandbox/"],
    ["begins another policy", "http://node.example,sandbox/"],
    ["names every host", "http://*/"],
    ["names every host below one", "https://*.example/"],
    ["is of another protocol", "data:text/plain,x"],
    ["is no URL", "node"],
  ] as const)
    it(`has nothing of an address that ${what}`, async () => {
      assert.equal(await policyFor([["gateway", url]]), POLICY);
    });
});
