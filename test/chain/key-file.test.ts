import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encryptKeystoreJson, Wallet } from "ethers";
import { after, before, describe, it } from "mocha";
import { platformRandom } from "../../command/platform-random.ts";
import { createKeyFile, loadWallet } from "../../chain/key-file.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

describe("key files", function () {
  this.timeout(60_000);
  const key = word("secret key");
  const { address } = new Wallet(key);
  let folder: string;
  const write = async (name: string, content: string, mode = 0o600): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    await chmod(path, mode);
    return path;
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-keys-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("are created for their owner only, and never overwritten", async () => {
    const path = join(folder, "new");
    const created = await createKeyFile(path, platformRandom);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await loadWallet(path, {})).address, created);
    await rejectsCode(createKeyFile(path, platformRandom), "STORAGE_FAILED");
  });

  for (const mode of [0o644, 0o640, 0o604, 0o660]) {
    it(`are refused with mode ${mode.toString(8)}, also through a link`, async () => {
      const path = await write(`open-${mode}`, key, mode);
      await rejectsCode(loadWallet(path, {}), "KEY_FILE_PERMISSIONS");
      await symlink(path, `${path}.link`);
      await rejectsCode(loadWallet(`${path}.link`, {}), "KEY_FILE_PERMISSIONS");
    });
  }

  it("may be encrypted, with the password in the environment", async () => {
    const path = await write(
      "keystore.json",
      await encryptKeystoreJson({ address, privateKey: key }, "pass", { scrypt: { N: 1024, r: 8, p: 1 } }),
    );
    assert.equal((await loadWallet(path, { VERISUM_KEY_PASSWORD: "pass" })).address, address);
    await chmod(path, 0o644);
    assert.equal((await loadWallet(path, { VERISUM_KEY_PASSWORD: "pass" })).address, address, "as mounted secrets are");
    await rejectsCode(loadWallet(path, { VERISUM_KEY_PASSWORD: "wrong" }), "KEY_INVALID");
    await rejectsCode(loadWallet(path, {}), "KEY_MISSING");
  });

  it("may be JSON that is no keystore, which is no secret kept", async () => {
    const path = await write("plain.json", JSON.stringify({ privateKey: key }), 0o644);
    await rejectsCode(loadWallet(path, {}), "KEY_FILE_PERMISSIONS");
    await chmod(path, 0o600);
    await rejectsCode(loadWallet(path, {}), "KEY_INVALID");
  });

  it("have blanks around the key, as the environment's may", async () => {
    for (const text of [`${key}\n`, ` ${key}\r\n`, `\t${key.slice(2)} `]) {
      assert.equal((await loadWallet(await write("blanks", text), {})).address, address);
      assert.equal((await loadWallet(undefined, { VERISUM_KEY: text })).address, address);
    }
  });

  it("are not the key itself, which is refused and not shown", async () => {
    for (const text of [key, key.slice(2), `${key}0`])
      await assert.rejects(loadWallet(text, {}), (error: Error) => !error.message.includes(key.slice(2, 12)));
    await rejectsCode(loadWallet(key, {}), "KEY_INVALID");
  });

  it("give way to the environment's key where none is named", async () => {
    assert.equal((await loadWallet(undefined, { VERISUM_KEY: key })).address, address);
    await rejectsCode(loadWallet(undefined, {}), "KEY_MISSING");
    await rejectsCode(loadWallet(undefined, { VERISUM_KEY: "0x1234" }), "KEY_INVALID");
  });

  it("are refused when malformed or missing, without showing their content", async () => {
    const path = await write("garbage", "0xnotakey");
    await assert.rejects(loadWallet(path, {}), (error: Error) => !error.message.includes("notakey"));
    await rejectsCode(loadWallet(path, {}), "KEY_INVALID");
    await rejectsCode(loadWallet(join(folder, "none"), {}), "KEY_MISSING");
    await rejectsCode(loadWallet(folder, {}), "KEY_MISSING");
  });
});
