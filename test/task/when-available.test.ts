import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { VerisumError } from "../../protocol/errors.ts";
import { whenAvailable } from "../../task/when-available.ts";
import type { AvailabilityDependencies } from "../../task/when-available.ts";
import { rejectsCode } from "../support/errors.ts";

const away = (): VerisumError => new VerisumError("IPFS_UNAVAILABLE", "nobody has it");

function recorded(): AvailabilityDependencies & { readonly done: string[] } {
  const done: string[] = [];
  const note = (what: string) => (): Promise<void> => Promise.resolve(void done.push(what));
  return {
    done,
    chain: { reread: note("reread") },
    network: { peers: () => ["http://peer"], refresh: note("refresh") },
    reporter: { say: () => undefined, wait: (text) => void done.push(text) },
    sleep: note("sleep"),
  };
}

describe("waiting for content of others", () => {
  it("tries again until a node has it, and asks the chain for nodes meanwhile", async () => {
    const deps = recorded();
    let left = 2;
    const found = await whenAvailable(() => (left-- > 0 ? Promise.reject(away()) : Promise.resolve("keys")), deps);
    assert.equal(found, "keys");
    assert.deepEqual(
      deps.done.filter((what) => what === "refresh"),
      ["refresh", "refresh"],
    );
    assert.match(deps.done[0]!, /waiting for a node .* asked http:\/\/peer/);
  });

  it("reads the chain anew after a while: an endpoint may have left an announcement out", async () => {
    const deps = recorded();
    let left = 60;
    await whenAvailable(() => (left-- > 0 ? Promise.reject(away()) : Promise.resolve()), deps);
    assert.equal(deps.done.filter((what) => what === "reread").length, 1);
  });

  it("ends at once with everything else", async () => {
    const refused = new VerisumError("KEY_REFUSED", "not the task's keys");
    await rejectsCode(
      whenAvailable(() => Promise.reject(refused), recorded()),
      "KEY_REFUSED",
    );
  });
});
