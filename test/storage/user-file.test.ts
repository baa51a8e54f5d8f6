import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, describe, it } from "mocha";
import { loadWallet } from "../../chain/key-file.ts";
import { runInspect } from "../../client/inspect.ts";
import { acceptInvitation } from "../../client/invited.ts";
import { trainerToken } from "../../client/trainers/address.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { initialWeights } from "../../operator/initial-weights.ts";
import { readPreparedTask } from "../../operator/prepare-task.ts";
import { readSpecification } from "../../operator/read-specification.ts";
import { readPowersFile } from "../../proving/ceremony/powers-file.ts";
import { keyFolder } from "../../proving/node/key-folder.ts";
import { isVerisumError, VerisumError } from "../../protocol/errors.ts";
import { readUserText } from "../../storage/user-file.ts";
import { readTls } from "../../task/endpoint.ts";
import { rejectsCode } from "../support/errors.ts";

const EXTERNAL = { document: { model: { kind: "external", tensors: [] } }, initialSeed: 1 };

/** Whatever reads a file that a user named. */
const READERS: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ["a specification", readSpecification],
  ["a deployment", readPreparedTask],
  ["a task to inspect data for", (task) => runInspect({ data: "digits", task, format: "json" }, () => undefined)],
  ["an invitation", (path) => acceptInvitation(path, {}, 0)],
  ["a trainer's token", async (path) => trainerToken(path)],
  ["a certificate", (path) => readTls({ tlsCert: path, tlsKey: path } as Parameters<typeof readTls>[0])],
  ["initial weights", (path) => initialWeights(EXTERNAL as never, path)],
  ["a file among proving keys", (path) => keyFolder(dirname(path)).read(basename(path))],
  ["an account's key", (path) => loadWallet(path, {})],
  ["powers of tau", (path) => readPowersFile(path, 10, "a test needs them")],
];

describe("a file that a user names", function () {
  this.timeout(20_000);
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-user-file-"));
    execFileSync("mkfifo", [join(directory, "pipe")]);
    await mkdir(join(directory, "folder"));
    await symlink(join(directory, "loop"), join(directory, "loop"));
  });
  after(() => rm(directory, { recursive: true }));

  for (const [name, read] of READERS)
    it(`ends with a code where it is a pipe, a device, a folder or nothing: ${name}`, async () => {
      for (const path of ["pipe", "folder", "loop", "absent"]
        .map((entry) => join(directory, entry))
        .concat("/dev/zero"))
        await assert.rejects(read(path), (error) => isVerisumError(error), path);
    });

  it("may be a pipe in a folder of tables", async () => {
    const folder = join(directory, "tables");
    await mkdir(folder);
    for (const part of ["train.csv", "test.csv"]) execFileSync("mkfifo", [join(folder, part)]);
    await rejectsCode(loadDataset(folder), "DATASET_MALFORMED");
  });

  it("is UTF-8, and may begin with the mark that some editors write", async () => {
    const path = join(directory, "text");
    const refuse = (reason: string): VerisumError => new VerisumError("USAGE", reason);
    await writeFile(path, "\ufeff{}\r\n");
    assert.deepEqual(await readSpecification(path), {});
    await writeFile(path, Buffer.from("M\xfcnchen", "latin1"));
    await rejectsCode(readUserText(path, refuse), "USAGE");
    await writeFile(path, "longer");
    await rejectsCode(readUserText(path, refuse, 5), "USAGE");
  });
});
