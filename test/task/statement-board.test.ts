import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import type { Attestation, Release } from "../../chain/task-chain.ts";
import { createStatementBoard, MOST_OF_SEAT, withReleases } from "../../task/statement-board.ts";
import type { StatementBoard } from "../../task/statement-board.ts";
import type { Statement } from "../../task/statements.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

const INTAKE = word("intake");
const SETTLEMENT = word("settlement");

describe("a board of statements", () => {
  let task: MemoryTask;
  let board: StatementBoard;
  let told: number;
  beforeEach(async () => {
    task = await openMemoryTask();
    told = 0;
    board = createStatementBoard(task.operator, () => void told++);
  });

  const attestation = async (seat: number, change: Partial<Attestation> = {}, signer = seat): Promise<Statement> => {
    const said = { round: 1n, intake: INTAKE, good: 0b011n, refused: 0n, ...change };
    return { kind: "attestation", ...said, seat, signature: await task.members[signer - 1]!.signAttestation(said) };
  };
  const release = async (seat: number, change: Partial<Release> = {}, signer = seat): Promise<Statement> => {
    const said = { round: 1n, settlement: SETTLEMENT, releaseCid: word(`release ${seat}`), ...change };
    return { kind: "release", ...said, seat, signature: await task.members[signer - 1]!.signRelease(said) };
  };
  const good = (intake: Hex = INTAKE): [number, bigint][] =>
    board.attestations(1n, intake).map((said) => [said.seat, said.good]);

  it("keeps what each seat's member signed, tells of it once, and refuses the rest by name", async () => {
    assert.equal(await board.add(await attestation(1)), true);
    assert.equal(await board.add(await release(2)), true);
    assert.equal(await board.add(await attestation(1)), false);
    assert.equal(told, 2);
    await rejectsCode(board.add(await attestation(3, {}, 4)), "SIGNATURE_INVALID");
    await rejectsCode(board.add(await release(3, {}, 1)), "SIGNATURE_INVALID");
    await rejectsCode(board.add({ ...(await release(3)), seat: 9 }), "SIGNATURE_INVALID");
    await rejectsCode(board.add(await attestation(3, { good: 0b01n, refused: 0b11n })), "STATEMENT_CONTRADICTORY");
    assert.deepEqual(
      board.of(1n).map(({ seat, kind }) => [seat, kind]),
      [
        [1, "attestation"],
        [2, "release"],
      ],
    );
  });

  it("takes a statement for its own round, intake, settlement and deployment only", async () => {
    const signed = await attestation(1);
    await rejectsCode(board.add({ ...signed, round: 2n }), "SIGNATURE_INVALID");
    await rejectsCode(board.add({ ...signed, intake: word("other") } as Statement), "SIGNATURE_INVALID");
    await rejectsCode(
      board.add({ ...(await release(1)), settlement: word("other") } as Statement),
      "SIGNATURE_INVALID",
    );
    const elsewhere = { ...task.operator, context: { ...task.operator.context, deployment: word("other") } };
    await rejectsCode(createStatementBoard(elsewhere).add(signed), "SIGNATURE_INVALID");
  });

  it("replaces a seat's statement by one that says more of the same intake, never by one that says less", async () => {
    await board.add(await attestation(1, { good: 0b001n }));
    await board.add(await attestation(1, { good: 0b011n, refused: 0b100n }));
    assert.equal(await board.add(await attestation(1, { good: 0b010n })), false);
    assert.deepEqual(good(), [[1, 0b011n]]);
    assert.equal(board.of(1n).length, 1);
    await board.add(await attestation(1, { intake: word("fork"), good: 0b100n }));
    assert.deepEqual([good(), good(word("fork"))], [[[1, 0b011n]], [[1, 0b100n]]]);
  });

  it("uses the statement with most good shares of a seat that says one thing here and another there", async () => {
    await board.add(await attestation(1, { good: 0b100n }));
    await board.add(await attestation(1, { good: 0b011n }));
    assert.deepEqual(good(), [[1, 0b011n]]);
  });

  it("keeps so many of a seat, those of the latest rounds, however many it signs or others repeat", async () => {
    await board.add(await attestation(2));
    for (let i = 0; i < 2 * MOST_OF_SEAT; i++)
      await board.add(await attestation(1, { round: 7n, intake: word(`intake ${i}`) }));
    assert.equal(board.of(7n).length, MOST_OF_SEAT);
    const before = told;
    assert.equal(await board.add(await attestation(1, { round: 6n })), false);
    assert.equal(board.of(6n).length, 0, "an earlier round's takes no place");
    assert.equal(told, before, "and is news to nobody");
    assert.equal(board.of(1n).length, 1, "and the other seat's stays");
  });

  it("keeps what a seat's member said, however much the next one signs for rounds to come", async () => {
    await openMemoryRound(task);
    const next = task.clients[0]!;
    await task.operator.replaceMember(1, next.account);
    await board.add(await attestation(1));
    await board.add(await release(1));
    for (let i = 0; i < 2 * MOST_OF_SEAT; i++) {
      const said = { round: 2n + BigInt(i), intake: INTAKE, good: 1n, refused: 0n };
      const signature = await next.signAttestation(said);
      assert.equal(await board.add({ kind: "attestation", ...said, seat: 1, signature }), true);
    }
    assert.deepEqual(
      board.of(1n).map(({ seat, kind }) => [seat, kind]),
      [
        [1, "attestation"],
        [1, "release"],
      ],
    );
    const kept = Array.from({ length: 2 * MOST_OF_SEAT }, (_, i) => board.of(2n + BigInt(i)).length);
    assert.equal(kept.filter((count) => count > 0).length, MOST_OF_SEAT);
  });

  it("gives a settled round the releases of its settlement, until those of a result are on chain", async () => {
    await settleMemoryRound(task, await openMemoryRound(task));
    const records = await task.operator.records(1n);
    const { settlement } = records.settled!;
    await board.add(await release(3, { settlement }));
    await board.add(await release(1, { settlement }));
    await board.add(await release(2));
    assert.deepEqual(
      withReleases(records, board).released.map(({ seat }) => seat),
      [1, 3],
    );
    const keyless = { ...records, opened: { ...records.opened!, keyMask: records.opened!.keyMask & ~1n } };
    assert.deepEqual(
      withReleases(keyless, board).released.map(({ seat }) => seat),
      [3],
      "the contract would refuse a result with the release of a seat without a key",
    );
    const finalised = { ...records, finalised: {} as NonNullable<typeof records.finalised> };
    assert.deepEqual(withReleases(finalised, board).released, []);
  });
});
