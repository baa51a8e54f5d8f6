/**
 * The weights with which a call's equations are multiplied (docs/protocol.md, section 5). Forgeries are made with the
 * trapdoors: two equations, each off by a factor, whose factors cancel under some other choice of weights.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { getBytes, hexlify, keccak256 } from "ethers";
import type { BaseContract } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeChunks, encodeSubmission } from "../../chain/codec.ts";
import { headOf } from "../../chain/large-submission.ts";
import { invert, multiply, toField } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import type { Submission } from "../../protocol/submission.ts";
import { challengeOf, domainTag, hashWords, sharesDigest } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { reverts } from "../support/reverts.ts";
import {
  as,
  deployTask,
  makeSubmission,
  openChain,
  openRound,
  registerAll,
  SECRETS,
  view,
} from "../support/task-on-chain.ts";
import type { TaskOnChain, VerisumInstance } from "../support/task-on-chain.ts";
import type { SimulatedSubmission } from "../support/trapdoor-keys.ts";

/** Two chunks of two kinds and an opening: three equations a client. */
const CHUNK_KINDS = [1, 0];
const EQUATIONS = CHUNK_KINDS.length + 1;
const CLIENTS = [0, 1, 2];

/** s of a call with these bytes. */
function baseOf(call: Uint8Array): bigint {
  return toField(BigInt(hashWords([domainTag("combine"), BigInt(keccak256(call))])));
}

/** The submissions with one equation, counted through all of them, off by the factor e(G1, G2)^exponent. */
function offBy(made: readonly SimulatedSubmission[], equation: number, exponent: bigint): SimulatedSubmission[] {
  const [of, place] = [Math.floor(equation / EQUATIONS), equation % EQUATIONS];
  const shift = (divisor: bigint, sign: bigint): ReturnType<typeof multiplyG1> =>
    multiplyG1(G1_GENERATOR, toField(sign * multiply(toField(exponent), invert(toField(divisor)))));
  return made.map((one, i) => {
    if (i !== of) return one;
    const { submission, z } = one;
    const changed: Submission =
      place === CHUNK_KINDS.length
        ? { ...submission, opening: addG1(submission.opening, shift(SECRETS.tau - z, 1n)) }
        : {
            ...submission,
            chunks: submission.chunks.map((chunk, j) =>
              j === place ? { ...chunk, c: addG1(chunk.c, shift(SECRETS.kinds[CHUNK_KINDS[j]!]!.delta, -1n)) } : chunk,
            ),
          };
    return { ...one, submission: changed };
  });
}

describe("the random combination of a call's equations", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let verifier: BaseContract;
  let made: SimulatedSubmission[];
  let challenges: Hex[];

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { chunkKinds: CHUNK_KINDS, dimension: 2473 });
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    verifier = await connection.ethers.getContractAt("ISubmissionVerifier", (await view(task, "verifier")) as string);
    made = [];
    for (const i of CLIENTS) made.push(await makeSubmission(task, task.clients[i]!, "combination"));
    challenges = CLIENTS.map((i) => {
      const { commitment, shareHashes, sharesCid, chunks } = made[i]!.submission;
      return challengeOf({
        ...task.context,
        ...{ round: 1n, client: task.clients[i]!.address as Hex, weight: 1 },
        baseModelDigest: task.parameters.genesisDigest,
        base: 0n,
        ...{ commitment, sharesDigest: sharesDigest(shareHashes), sharesCid },
        shareEvaluationCount: task.parameters.threshold - 1,
        wireCommitments: chunks.map(({ d }) => d),
      });
    });
  });
  after(() => connection.close());

  const argumentsOf = (parties: readonly SimulatedSubmission[]): unknown[] => [
    challenges,
    parties.map(({ submission }) => encodeSubmission(submission)),
  ];
  const verify = (parties: readonly SimulatedSubmission[]): Promise<unknown> =>
    (verifier as VerisumInstance)["verify"]!.staticCall(...argumentsOf(parties));

  it("starts from the hash of the whole call", async () => {
    const harness = await (await connection.ethers.getContractFactory("CombinationHarness")).deploy();
    const to = await harness.getAddress();
    const baseOnChain = async (call: Uint8Array): Promise<bigint> =>
      BigInt(await connection.ethers.provider.call({ to, data: hexlify(call) }));
    for (const length of [0, 1, 4, 132, 133, 1000]) {
      const call = new Uint8Array(length).fill(7);
      assert.equal(await baseOnChain(call), baseOf(call), `of ${length} bytes`);
    }
    const call = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
    for (const i of call.keys()) {
      const changed = call.with(i, call[i]! ^ 1);
      assert.equal(await baseOnChain(changed), baseOf(changed), `byte ${i}`);
    }
  });

  it("accepts what holds, and refuses each equation that is off alone", async () => {
    await verify(made);
    for (let equation = 0; equation < EQUATIONS * CLIENTS.length; equation++)
      await reverts(verify(offBy(made, equation, 1n)), "VerisumProofInvalid");
  });

  it("gives no two equations the same weight, of one client or of two", async () => {
    for (let first = 0; first < EQUATIONS * CLIENTS.length; first++)
      for (let second = first + 1; second < EQUATIONS * CLIENTS.length; second++)
        await reverts(verify(offBy(offBy(made, first, 1n), second, -1n)), "VerisumProofInvalid");
  });

  it("cannot be met by a forgery that comes after some first part of the call", async () => {
    // The two equations of the last client's chunks: their weights' ratio is s.
    const first = EQUATIONS * (CLIENTS.length - 1);
    const forge = (s: bigint): SimulatedSubmission[] => offBy(offBy(made, first, s), first + 1, FIELD_ORDER - 1n);
    const encode = (parties: readonly SimulatedSubmission[]): Uint8Array =>
      getBytes(verifier.interface.encodeFunctionData("verify", argumentsOf(parties)));
    const [honest, forged] = [encode(made), encode(forge(1n))];
    const fixed = honest.findIndex((byte, i) => byte !== forged[i]);
    assert.ok(fixed > 132 && fixed < honest.length);
    for (let length = 4; length <= fixed; length += 32)
      await reverts(verify(forge(baseOf(honest.slice(0, length)))), "VerisumProofInvalid");
    for (const constant of [0n, 1n, 2n]) await reverts(verify(forge(constant)), "VerisumProofInvalid");
  });

  it("covers the steps of a large submission, too", async () => {
    const { submission } = made[0]!;
    const start = { count: 0n, wires: `0x${"00".repeat(32)}`, h: 0n, y: 0n, zPower: 0n };
    const send = (parties: readonly SimulatedSubmission[]): Promise<unknown> =>
      as(task, task.clients[0]!)["proveChunks"]!.staticCall(
        1n,
        headOf(submission),
        start,
        encodeChunks(parties[0]!.submission.chunks),
      );
    await send(made);
    const call = getBytes(
      verifier.interface.encodeFunctionData("verifyChunks", [challenges[0], start, encodeChunks(submission.chunks)]),
    );
    // C of the first chunk begins after the selector, seven words, the array's place and length, and D, A and B.
    for (let length = 4; length <= 4 + 32 * (8 + 8); length += 32) {
      const s = baseOf(call.slice(0, length));
      await reverts(send(offBy(offBy(made, 0, s), 1, -1n)), "VerisumProofInvalid");
    }
  });
});
