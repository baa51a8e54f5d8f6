import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RoundRecords } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { encodeElements } from "../../protocol/field.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { fetchReleases } from "../../task/releases.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

type Answer = "here" | "never" | VerisumError;

/** A task whose members' releases are had in these ways, by seat. */
function releasedBy(...answers: readonly Answer[]): { task: OpenTask; records: Pick<RoundRecords, "released"> } {
  const cids = answers.map((_, i) => word(`release ${i}`));
  const getFile = (cid: string): Promise<Uint8Array> => {
    const answer = answers[cids.findIndex((digest) => cidFromDigest(digest) === cid)]!;
    if (answer instanceof VerisumError) return Promise.reject(answer);
    return answer === "here" ? Promise.resolve(encodeElements([7n])) : new Promise(() => undefined);
  };
  return {
    task: { store: { getFile }, layout: { elementCount: 1 }, parameters: { threshold: 2 } } as unknown as OpenTask,
    records: {
      released: cids.map((releaseCid, i) => ({
        ...{ round: 1n, settlement: word("settlement"), seat: i + 1, releaseCid },
        signature: { r: word("r"), vs: word("vs") },
      })),
    },
  };
}

describe("members' releases", () => {
  const unusable: string[] = [];
  const note = (seat: number, code: string): void => void unusable.push(`${seat} ${code}`);
  const seats = async ({ task, records }: ReturnType<typeof releasedBy>): Promise<number[]> =>
    (await fetchReleases(task, records, note)).map(({ seat }) => seat);

  it("are used as soon as enough are here, however long one of them takes", async function () {
    this.timeout(5000);
    assert.deepEqual(await seats(releasedBy("never", "here", "here")), [2, 3]);
    assert.deepEqual(await seats(releasedBy("never", "here", "never")), [2], "and nobody waits long for too few");
    assert.deepEqual(unusable, []);
  });

  it("are left out if their content is unusable", async () => {
    const wrong = new VerisumError("IPFS_DAG_INVALID", "wrong");
    const away = new VerisumError("IPFS_UNAVAILABLE", "away");
    assert.deepEqual(await seats(releasedBy("here", wrong, away, "here")), [1, 4]);
    assert.deepEqual(unusable, ["2 IPFS_DAG_INVALID"]);
  });

  it("are not judged by a disk that fails", async () => {
    const { task, records } = releasedBy("here", new VerisumError("IPFS_STORE_FAILED", "disk"), "never");
    await rejectsCode(fetchReleases(task, records, note), "IPFS_STORE_FAILED");
  });
});
