import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { askConsent } from "../../client/invited.ts";
import { agree } from "../../client/terms.ts";
import { parameterCountOf, parseModel } from "../../learning/model.ts";
import { parametersOf, parseSpecification } from "../../task/create-task.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DIGESTS = { taskCid: word("a"), genesisCid: word("b"), genesisDigest: word("c"), keysHash: word("d") };

/** What was shown, and how often the client was asked. */
async function shown(
  name: string,
  weight: number,
  changes: object = {},
  untilRound = 0n,
): Promise<{ text: string; asked: number }> {
  const json = JSON.parse(readFileSync(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")) as unknown;
  const specification = parseSpecification(json);
  const document = { ...specification.document, version: 1 as const, keysCid: word("keys") };
  const dimension = parameterCountOf(parseModel(document.model));
  const parameters = { ...parametersOf(specification, dimension, DIGESTS), ...changes };
  const lines: string[] = [];
  const reporter = {
    say: (_level: string, _event: string, text: string) => void lines.push(text),
    wait: () => undefined,
  };
  let asked = 0;
  const consent = (): Promise<void> => Promise.resolve(void asked++);
  await agree({ document, parameters }, { weight, untilRound }, `0x${"c1".repeat(20)}`, consent, reporter);
  return { text: lines.join("\n"), asked };
}

describe("what a client is shown before it registers", () => {
  it("says privacy in words and numbers, what members could do, and its own weight", async () => {
    const { text, asked } = await shown("digits-private", 3);
    assert.equal(asked, 0);
    assert.match(text, /each record has epsilon [0-9.]+ at delta 0.00001/);
    assert.match(text, /has 4 members: any 2 of them together can read this client's single updates/);
    assert.match(text, /weight in a sum is 3/);
    assert.match(text, /there is no bond/);
  });

  it("says that nothing is proven where training adds no noise", async () => {
    assert.match((await shown("digits", 0)).text, /adds no noise: .* has no proven bound/);
  });

  it("names the bond where registration is open, and asks once, before it is paid", async () => {
    const open = { openRegistration: true, bondWei: 5n * 10n ** 16n };
    const { text, asked } = await shown("digits", 0, open);
    assert.match(text, /a bond of 0.05 ether/);
    assert.equal(asked, 1);
    assert.equal((await shown("digits", 1, open)).asked, 0);
    assert.equal((await shown("digits", 1, open, 3n)).asked, 1, "whoever left pays a bond again");
  });

  it("is not agreed to where the terminal ends in place of an answer", async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    const asked = askConsent("Register?", terminal);
    terminal.end();
    await rejectsCode(asked, "CONSENT_MISSING");
    const willing = Object.assign(new PassThrough(), { isTTY: true });
    willing.write("yes\n");
    await askConsent("Register?", willing);
  });

  it("is agreed to by somebody at a terminal, or by --yes", () => {
    const source = `
      import { askConsent } from "./client/invited.ts";
      await askConsent("Register?").catch(({ code }) => console.log(code));`;
    const { stdout } = spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "-e", source],
      { cwd: ROOT, encoding: "utf8", input: "yes\n" },
    );
    assert.equal(stdout, "CONSENT_MISSING\n");
  });
});
