/**
 * The IPFS project's own suite (https://github.com/ipfs/gateway-conformance) against the gateway. It runs where Go is,
 * and where GATEWAY_CONFORMANCE_HOME names the suite's sources; elsewhere it is skipped by name. The cases that the
 * gateway's profile serves are pinned; all others ask for what it refuses (docs/running.md, *The gateway's profile*).
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CarBufferReader } from "@ipld/car/buffer-reader";
import { after, before, describe, it } from "mocha";
import { createGateway } from "../../content/gateway.ts";
import { blockKey } from "../../content/profile.ts";
import { contentStoreOver, DEFAULT_STORE_LIMITS } from "../../content/store.ts";
import type { ContentStore } from "../../content/store.ts";
import { createRecorder } from "../support/round-recorder.ts";
import pinned from "./gateway-conformance.json" with { type: "json" };

const HOME = process.env["GATEWAY_CONFORMANCE_HOME"];
const RUNS = HOME !== undefined && spawnSync("go", ["version"]).status === 0;

/** A store that holds every block of the suite's fixtures, also of those that no import takes. */
function fixtures(home: string): ContentStore {
  const blocks = new Map<string, Uint8Array>();
  for (const car of globSync(join(home, "fixtures/**/*.car")))
    for (const { cid, bytes } of CarBufferReader.fromBytes(readFileSync(car)).blocks())
      blocks.set(blockKey(cid), bytes);
  const readOnly = (): Promise<never> => Promise.reject(new Error("the fixtures are read only"));
  return contentStoreOver(
    {
      readLocal: async (cid) => blocks.get(blockKey(cid)),
      readAnywhere: readOnly,
      commit: readOnly,
      pins: async () => [],
      remove: readOnly,
      close: async () => undefined,
    },
    DEFAULT_STORE_LIMITS,
  );
}

/** What `go test -json` says of each test, cases and their checks included. */
async function runSuite(home: string, url: string): Promise<ReadonlyMap<string, string>> {
  const outcomes = new Map<string, string>();
  const suite = spawn("go", ["test", "-json", "-count=1", "./tests", "-specs=trustless-gateway,path-gateway"], {
    cwd: home,
    env: { ...process.env, GATEWAY_URL: url, GATEWAY_CONFORMANCE_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(suite.stdout)) {
    const { Action: action, Test: test } = JSON.parse(line) as { Action: string; Test?: string };
    if (test !== undefined && ["pass", "fail", "skip"].includes(action)) outcomes.set(test, action);
  }
  return outcomes;
}

/** The suite's name of a case, as people read it. */
const legible = (name: string): string => decodeURIComponent(name).replaceAll("_", " ");

(RUNS ? describe : describe.skip)(
  "the gateway-conformance suite of IPFS (needs Go, and GATEWAY_CONFORMANCE_HOME)",
  function () {
    this.timeout(540_000); // Go may have to compile it
    let outcomes: ReadonlyMap<string, string>;
    let close: () => Promise<void>;

    before(async () => {
      const app = createGateway({
        store: fixtures(HOME!),
        reporter: createRecorder(),
        authoriseUpload: async () => false,
      });
      close = () => app.close();
      const url = await app.listen({ host: "127.0.0.1", port: 0 });
      outcomes = new Map([...(await runSuite(HOME!, url))].map(([test, outcome]) => [legible(test), outcome]));
    });
    after(() => close());

    for (const [test, cases] of Object.entries(pinned.cases))
      it(`passes the ${cases.length} cases of ${test} that the profile serves`, () => {
        const failed = cases.filter((name) => outcomes.get(`${test}/${name}`) !== "pass");
        assert.deepEqual(failed, []);
      });
  },
);
