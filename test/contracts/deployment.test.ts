import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { keccak256 } from "ethers";
import { decodeParameters, encodeParameters } from "../../chain/codec.ts";
import type { TaskParameters as OnChain } from "../../chain/generated/verisum.ts";
import { MAX_CHUNKS, MAX_COMMITTEE, PRESETS } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY, G2_GENERATOR, multiplyG2, negateG2 } from "../../protocol/points.ts";
import { encodeWords } from "../../protocol/field.ts";
import { parameterBits, PARAMETER_WORDS, parametersHash, parameterWords } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { deploymentOf, toHex } from "../../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../../protocol/verification-key.ts";
import type { ChunkVerificationKey, VerificationKeys } from "../../protocol/verification-key.ts";
import { seededRandom, word } from "../support/random.ts";
import { bytes32, reverts } from "../support/reverts.ts";
import { drawSecrets, keysOf } from "../support/trapdoor-keys.ts";
import { deployTask, KEYS, KEYS_BLOB, openChain, PARAMETERS, view } from "../support/task-on-chain.ts";

/** A task with a goal of four: three clients of which one may be corrupt, and as many more as are corrupt. */
const BUFFER = { bufferGoal: 4, maxStaleness: 2, minSeparation: 2, minCollectSeconds: 60, maxWeight: 100 } as const;

/** Words of the encoded keys at which G2 points begin: minus beta, tau, and each kind's minus delta and minus sigma. */
const [BETA, TAU] = [2, 6] as const;
const G2_WORDS = [BETA, TAU, 10, 14, 32, 36];

describe("deployment", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  before(async () => {
    connection = await openChain();
  });
  after(() => connection.close());

  async function deployWith(
    blob: Uint8Array,
    change: Partial<TaskParameters> = {},
    overrides: { readonly gasLimit?: number } = {},
  ): Promise<unknown> {
    const factory = await connection.ethers.getContractFactory("Verisum");
    const [operator] = await connection.ethers.getSigners();
    return factory.deploy(
      encodeParameters({ ...PARAMETERS, ...change, keysHash: keccak256(blob) as Hex }),
      toHex(blob),
      operator!.address,
      overrides,
    );
  }

  it("keeps the parameters, their hash, the keys and the vector's length", async () => {
    const task = await deployTask(connection, { chunkKinds: [1, 0], dimension: 3000 });
    const stored = (await view(task, "parameters")) as OnChain;
    assert.deepEqual(decodeParameters(stored), task.parameters);
    assert.equal(await view(task, "parametersHash"), parametersHash(task.parameters));
    assert.equal(await view(task, "vectorLength"), BigInt(2472 / 12 + 3 + 588 / 12 + 3));
    const pointer = (await view(task, "keysPointer")) as string;
    assert.equal(await connection.ethers.provider.getCode(pointer), `0x00${KEYS_BLOB.slice(2)}`);
    assert.equal(await view(task, "operator"), task.operator.address);
    assert.deepEqual(
      [...((await view(task, "latestModel")) as unknown[])],
      [0n, task.parameters.genesisCid, task.parameters.genesisDigest],
    );
  });

  it("has an identity of its chain, address, parameters and block; a chain started anew gives another", async () => {
    const task = await deployTask(connection);
    const { blockNumber } = (await task.verisum.deploymentTransaction()!.wait())!;
    const block = (await connection.provider.request({
      method: "eth_getBlockByNumber",
      params: [`0x${blockNumber.toString(16)}`, false],
    })) as { readonly parentHash: Hex; readonly mixHash: Hex };
    const expected = deploymentOf({
      ...task.context,
      parametersHash: parametersHash(task.parameters),
      parentHash: block.parentHash,
      prevRandao: block.mixHash,
    });
    assert.equal(task.context.deployment, expected);
    const chains = [await openChain(), await openChain()];
    try {
      // Two that start within one second are the same, block for block.
      await chains[1]!.provider.request({ method: "evm_mine" });
      const [one, other] = [await deployTask(chains[0]!), await deployTask(chains[1]!)];
      assert.equal(one.address, other.address);
      assert.notEqual(one.context.deployment, other.context.deployment);
    } finally {
      for (const chain of chains) await chain.close();
    }
  });

  const rules: readonly [string, Partial<TaskParameters>][] = [
    ["threshold >= 2", { threshold: 1 }],
    ["quorum >= 2t - 1", { quorum: 2 }],
    ["n >= quorum + t - 1", { quorum: 4 }],
    ["n >= quorum + t - 1", { committeeSize: 3 }],
    ["n <= MAX_COMMITTEE", { committeeSize: 33 }],
    ["minHonest >= 2", { minHonest: 1 }],
    ["minClients >= minHonest + f", { maxCorrupt: 2 }],
    ["minClients <= MAX_COHORT", { minClients: 257 }],
    ["a bond iff open", { bondWei: 1n }],
    ["a bond iff open", { openRegistration: true }],
    ["phases last", { collectSeconds: 0 }],
    ["phases last", { attestSeconds: 0 }],
    ["phases last", { aggregateSeconds: 0 }],
    ["cost <= budget", { privacyBudget: 4n, privacyCostPerRound: 5n }],
    ["cost <= budget", { privacyBudget: 1n, privacyCostPerRound: 2n }],
    ["a cost iff a budget", { privacyBudget: 4n }],
    ["a cost iff a budget", { privacyCostPerRound: 1n }],
    ["a cost iff a budget", { privacyCostPerRound: 2n ** 63n }],
    ["maxWeight >= 1", { maxWeight: 0 }],
    ["maxWeight <= W", { maxWeight: 512 }],
    ["uniform weights", { uniformWeights: true, maxWeight: 2 }],
    ["a barrier's values", { maxStaleness: 1 }],
    ["a barrier's values", { minSeparation: 2 }],
    ["a barrier's values", { minSeparation: 0 }],
    ["a barrier's values", { minCollectSeconds: 1 }],
    ["bufferGoal >= minClients + f", { ...BUFFER, bufferGoal: 3 }],
    ["bufferGoal <= MAX_COHORT", { ...BUFFER, bufferGoal: 257, maxWeight: 1 }],
    ["bufferGoal * maxWeight <= W", { ...BUFFER, maxWeight: 128 }],
    ["maxStaleness <= 15", { ...BUFFER, maxStaleness: 16 }],
    ["minSeparation >= 1", { ...BUFFER, minSeparation: 0 }],
    ["minCollect <= collect", { ...BUFFER, minCollectSeconds: 601 }],
    ["coordinateBits of a preset", { coordinateBits: 9 }],
    ["coordinateBits of a preset", { coordinateBits: 0 }],
    ["chunks <= MAX_CHUNKS", { chunkKinds: Array<number>(MAX_CHUNKS + 1).fill(0), dimension: (MAX_CHUNKS + 1) * 588 }],
    ["each kind has a key", { chunkKinds: [2] }],
    ["no chunk of padding", { chunkKinds: [0, 0] }],
    ["larger chunks first", { chunkKinds: [0, 1], dimension: 3000 }],
    ["chunks cover the dimension", { dimension: 589 }],
    ["chunks cover the dimension", { dimension: 0, chunkKinds: [] }],
    ["0 < normBoundSquared < 2^48", { normBoundSquared: 0n }],
    ["0 < normBoundSquared < 2^48", { normBoundSquared: 2n ** 48n }],
  ];
  for (const [rule, change] of rules) {
    const text = Object.entries(change).map(([name, value]) => `${name} = ${String(value).slice(0, 20)}`);
    it(`refuses a task without: ${rule} (${text.join(", ")})`, () =>
      reverts(deployTask(connection, change), "VerisumParameterInvalid", bytes32(rule)));
  }

  it("takes the parameters in the ABI's encoding only, and each within its type", async () => {
    const factory = await connection.ethers.getContractFactory("Verisum");
    const [operator] = await connection.ethers.getSigners();
    const kinds = Array<number>(33).fill(0);
    const words = parameterWords({ ...PARAMETERS, chunkKinds: kinds, dimension: 33 * 588 });
    const last = words.length - 1;
    const refuses = (changed: readonly bigint[], rule: string): Promise<void> =>
      reverts(
        factory.deploy(toHex(encodeWords(changed)), KEYS_BLOB, operator!.address),
        ...["VerisumParameterInvalid", bytes32(rule)],
      );
    await factory.deploy(toHex(encodeWords(words)), KEYS_BLOB, operator!.address);
    const [offset, length] = [PARAMETER_WORDS.length + 1, PARAMETER_WORDS.length + 2];
    const forms = {
      "an offset of the struct": words.with(0, 64n),
      "an offset of the bytes": words.with(offset, words[offset]! + 32n),
      "more bytes than there are": words.with(length, 65n),
      "fewer bytes than there are": words.with(length, 32n),
      "a word less": words.slice(0, last),
      "a word more": [...words, 0n],
      "padding that is not zero": words.with(last, words[last]! + 1n),
      "a length without end": words.with(length, 2n ** 256n - 1n),
      "no head": words.slice(0, 5),
    };
    for (const [name, changed] of Object.entries(forms))
      await refuses(changed, "the ABI's encoding").catch((error: unknown) => assert.fail(`${name}: ${String(error)}`));
    for (const [i, name] of PARAMETER_WORDS.entries()) {
      const bits = parameterBits(name);
      if (bits < 256) await refuses(words.with(1 + i, 1n << BigInt(bits)), "each word fits its type");
    }
  });

  it("accepts the inequalities at their edge", async () => {
    await deployTask(connection, {
      privacyBudget: 5n,
      privacyCostPerRound: 5n,
      normBoundSquared: 2n ** 48n - 1n,
      minClients: 256,
      minHonest: 200,
      maxCorrupt: 56,
    });
    await deployTask(connection, { chunkKinds: Array<number>(MAX_CHUNKS).fill(1), dimension: MAX_CHUNKS * 2472 });
    await deployTask(connection, { committeeSize: MAX_COMMITTEE, threshold: 11, quorum: 21 });
    await deployTask(connection, { dimension: 1, normBoundSquared: 1n, openRegistration: true, bondWei: 1n });
    await deployTask(connection, BUFFER);
    await deployTask(connection, { ...BUFFER, bufferGoal: 7, maxWeight: 73 });
    await deployTask(connection, { ...BUFFER, bufferGoal: 256, minClients: 255, maxWeight: 1, maxStaleness: 15 });
    await deployTask(connection, { ...BUFFER, minSeparation: 2 ** 16 - 1, minCollectSeconds: 600, maxWeight: 127 });
  });

  it("accepts the standard preset with as many of its largest chunks as a task can have", async () => {
    const { coordinateBits, kinds } = PRESETS.standard;
    const chunkKinds = Array<number>(MAX_CHUNKS).fill(kinds.length - 1);
    const dimension = MAX_CHUNKS * kinds.at(-1)!.coordinates;
    const keys = keysOf(drawSecrets(PRESETS.standard, seededRandom("standard")));
    // The longest creation code with arguments: EIP-3860 would refuse it if the contracts had 40 bytes more.
    const most = { gasLimit: 16_777_216 };
    await deployWith(encodeVerificationKeys(keys), { coordinateBits, chunkKinds, dimension }, most);
  });

  it("refuses a blob that the hash does not name, and an operator at zero", async () => {
    await reverts(
      deployTask(connection, { keysHash: word("other keys") }),
      "VerisumKeysHashMismatch",
      word("other keys"),
      PARAMETERS.keysHash,
    );
    const factory = await connection.ethers.getContractFactory("Verisum");
    await reverts(
      factory.deploy(encodeParameters(PARAMETERS), KEYS_BLOB, `0x${"00".repeat(20)}`),
      "VerisumZeroAddress",
    );
  });

  describe("refuses keys under which proofs can be forged:", () => {
    const kind0 = (change: Partial<ChunkVerificationKey>): VerificationKeys => ({
      ...KEYS,
      kinds: [{ ...KEYS.kinds[0]!, ...change }, KEYS.kinds[1]!],
    });
    const kind1 = (change: Partial<ChunkVerificationKey>): VerificationKeys => ({
      ...KEYS,
      kinds: [KEYS.kinds[0]!, { ...KEYS.kinds[1]!, ...change }],
    });
    const { delta, sigma, publicBases } = KEYS.kinds[0]!;
    const generator = "a G2 point is the generator";
    const equal = "two G2 points equal up to sign";
    const cases: readonly [string, VerificationKeys, string][] = [
      ["delta is the generator (no phase 2)", kind0({ delta: G2_GENERATOR }), generator],
      ["delta is minus the generator", kind0({ delta: negateG2(G2_GENERATOR) }), generator],
      ["sigma is the generator", kind0({ sigma: G2_GENERATOR }), generator],
      ["tau is the generator (no contribution)", { ...KEYS, tau: G2_GENERATOR }, generator],
      ["beta is the generator", { ...KEYS, beta: G2_GENERATOR }, generator],
      ["alpha is the generator", { ...KEYS, alpha: G1_GENERATOR }, "alpha is the generator"],
      ["sigma equals delta", kind0({ sigma: delta }), equal],
      ["sigma equals minus delta", kind0({ sigma: negateG2(delta) }), equal],
      ["delta equals beta", kind0({ delta: KEYS.beta }), equal],
      ["sigma equals tau", kind0({ sigma: KEYS.tau }), equal],
      ["two kinds share delta", kind0({ delta: KEYS.kinds[1]!.delta }), equal],
      ["a kind's sigma is another's delta", kind0({ sigma: KEYS.kinds[1]!.delta }), equal],
      ["tau equals beta", { ...KEYS, tau: KEYS.beta }, equal],
      ["the last kind's sigma equals its delta", kind1({ sigma: KEYS.kinds[1]!.delta }), equal],
      ["the last kind's sigma is another's delta", kind1({ sigma: delta }), equal],
      ["the last kind's sigma is the generator", kind1({ sigma: G2_GENERATOR }), generator],
      ...[0, 3, 6].map((i): [string, VerificationKeys, string] => [
        `a public input's base ${i} is infinity`,
        kind0({ publicBases: publicBases.with(i, G1_INFINITY) }),
        "a G1 point is infinity",
      ]),
      [
        "the last kind's last base is infinity",
        kind1({ publicBases: KEYS.kinds[1]!.publicBases.with(6, G1_INFINITY) }),
        "a G1 point is infinity",
      ],
      ["alpha is infinity", { ...KEYS, alpha: G1_INFINITY }, "a G1 point is infinity"],
      ["sigma is infinity", kind0({ sigma: multiplyG2(sigma, 0n) }), "a G2 point is infinity"],
      ["no kind at all", { ...KEYS, kinds: [] }, "the length is of no kinds"],
      [
        "more kinds than the preset",
        { ...KEYS, kinds: [...KEYS.kinds, ...keysOf(drawSecrets(PRESETS.tiny, seededRandom("more"))).kinds] },
        "the length is of no kinds",
      ],
    ];
    for (const [name, keys, reason] of cases)
      it(name, () => reverts(deployWith(encodeVerificationKeys(keys)), "VerisumKeysRefused", bytes32(reason)));

    it("a kind without a key, but takes keys of the first kinds only", async () => {
      const blob = encodeVerificationKeys({ ...KEYS, kinds: KEYS.kinds.slice(0, 1) });
      await deployWith(blob);
      await reverts(deployWith(blob, { chunkKinds: [1] }), "VerisumParameterInvalid", bytes32("each kind has a key"));
      await reverts(deployWith(Uint8Array.of(...blob, 0)), "VerisumKeysRefused");
      // One byte short of the words that belong to no kind, and those alone.
      for (const length of [64, 319, 320]) await reverts(deployWith(blob.slice(0, length)), "VerisumKeysRefused");
    });

    it("by both halves of a point's x, not by one that it shares with another", async () => {
      const valid = encodeVerificationKeys(KEYS);
      const generator = encodeVerificationKeys({ ...KEYS, tau: G2_GENERATOR }).slice(32 * TAU, 32 * (TAU + 2));
      for (const x of [generator, valid.slice(32 * BETA, 32 * (BETA + 2))]) {
        for (const half of [0, 32]) {
          const blob = Uint8Array.from(valid);
          blob.set(x.slice(half, half + 32), 32 * TAU + half);
          await reverts(deployWith(blob), "VerisumPointInvalid");
        }
      }
    });

    it("points off the curve, in G1 and G2", async () => {
      const off = addG1(publicBases[2]!, G1_GENERATOR);
      await reverts(
        deployWith(encodeVerificationKeys(kind0({ publicBases: publicBases.with(2, { x: off.x, y: off.y ^ 1n }) }))),
        "VerisumPointInvalid",
      );
      await reverts(deployWith(encodeVerificationKeys({ ...KEYS, alpha: { x: 0n, y: 5n } })), "VerisumPointInvalid");
      const valid = encodeVerificationKeys(KEYS);
      for (const word of G2_WORDS) {
        const blob = Uint8Array.from(valid);
        // The last byte of y.c0.
        blob[32 * (word + 4) - 1]! ^= 1;
        await reverts(deployWith(blob), "VerisumPointInvalid");
      }
      await deployWith(encodeVerificationKeys(KEYS));
    });
  });

  it("hashes the keys as protocol/verification-key.ts does", () => {
    assert.equal(PARAMETERS.keysHash, toHex(hashVerificationKeys(KEYS)));
  });
});
