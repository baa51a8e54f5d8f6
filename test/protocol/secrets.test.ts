import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { VerisumError } from "../../protocol/errors.ts";
import { isSecretKey, maskTyped, maskUrls } from "../../protocol/secrets.ts";
import { word } from "../support/random.ts";

describe("secrets in what is said", () => {
  const cases: Readonly<Record<string, string>> = {
    "https://user:pass@node.example/v3/abc?key=def#x": "https://…@node.example/…",
    "https://node.example/v3/abc": "https://node.example/…",
    "https://node.example/?apikey=def": "https://node.example/?…",
    "https://node.example?apikey=def": "https://node.example?…",
    "wss://node.example/ws/abc": "wss://node.example/…",
    "asked http://127.0.0.1:8545/abc: refused": "asked http://127.0.0.1:8545/… refused",
    "http://user:p@ss/wo?rd@node.example:8545": "http://…@node.example:8545",
    "user:pass@node.example/": "…@node.example/",
    "http://127.0.0.1:7700/ipfs/bafybei/config.json": "http://127.0.0.1:7700/ipfs/bafybei/config.json",
    "http://127.0.0.1:7700/v1/proposals/3/signatures": "http://127.0.0.1:7700/v1/proposals/3/signatures",
    "http://127.0.0.1:7700/v1/car?author=0x1": "http://127.0.0.1:7700/v1/car?…",
    "nothing to hide: 12:30": "nothing to hide: 12:30",
  };
  for (const [text, shown] of Object.entries(cases)) {
    it(`shows ${text} as ${shown}`, () => assert.equal(maskUrls(text), shown));
  }

  it("are in no error's message or evidence", () => {
    const error = new VerisumError("CHAIN_UNREACHABLE", "http://a:b@c/d: gone", { rpcUrl: "http://a:b@c/d", round: 7 });
    assert.equal(error.message, "http://…@c/… gone");
    assert.deepEqual(error.details, { rpcUrl: "http://…@c/…", round: 7 });
  });

  it("are known as keys and seed phrases where they were typed", () => {
    const key = word("secret key");
    const phrase = "test test test test test test test test test test test junk";
    for (const text of [key, key.slice(2), `${key}1`, ` ${key}\n`, key.toUpperCase().replace("0X", "0x"), phrase])
      assert.ok(isSecretKey(text), text);
    for (const text of [key.slice(0, 42), "keys/operator", "", "a folder of my own"])
      assert.ok(!isSecretKey(text), text);
    assert.equal(maskTyped(`option '--key <file>' argument '${key}'`), "option '--key <file>' argument '…'");
  });
});
