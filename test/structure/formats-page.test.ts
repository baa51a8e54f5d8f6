import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { id, TypedDataEncoder } from "ethers";
import { describe, it } from "mocha";
import { DOMAIN, SIGNED_TYPES } from "../../chain/generated/typed-data.ts";
import { INVITATION_TYPES } from "../../chain/invitation-signature.ts";
import { TASK_PARAMETERS_FIELDS } from "../../chain/generated/verisum.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import { ERRORS } from "../../protocol/errors.ts";
import { FIRST_ACCUMULATOR_HASH } from "../../protocol/groth16.ts";
import * as PARAMETERS from "../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2, negateG2 } from "../../protocol/points.ts";
import { SERVER_RULES } from "../../protocol/server-rules/registry.ts";
import {
  challengeOfHead,
  challengePoints,
  deploymentOf,
  domainTag,
  extendIntake,
  hashWords,
  recordHashOf,
  resultPoint,
  settlementOf,
  sharesDigest,
  wiresDigest,
  ZERO_WORD,
} from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { encodeVerificationKeys, g2Words } from "../../protocol/verification-key.ts";
import { CHECKPOINT_FILES } from "../../task/checkpoint.ts";
import { word } from "../support/random.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/formats.md"), "utf8");

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

/** Cells of the rows of the table whose first line is this. */
function table(heading: string): string[][] {
  const lines = PAGE.split("\n");
  const start = lines.indexOf(heading);
  assert.notEqual(start, -1, heading);
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) => line.slice(2, -2).split(" | "));
}

/** Code in the first cell of each row, and all code in the others. */
const coded = (heading: string): [first: string, others: string[]][] =>
  table(heading).map(([first, ...others]) => [codeIn(first!)[0] ?? first!, others.flatMap(codeIn)]);

describe("docs/formats.md", () => {
  it("has every route between nodes", () => {
    const sources = ["content/gateway.ts", "task/statement-routes.ts", "aggregator/proposal.ts", "aggregator/relay.ts"]
      .map((path) => readFileSync(join(ROOT, path), "utf8"))
      .join();
    const inSource = [...sources.matchAll(/"(\/(?:v1|ipfs)\/[a-z:/]+)"/g)].map(([, route]) => route!);
    const onPage = coded("| route | who asks | what it does |").map(([route]) => route.split(" ")[1]!);
    assert.deepEqual([...new Set(onPage)].sort(), [...new Set(inSource)].sort());
  });

  it("has the constants of the protocol", () => {
    const constants: Readonly<Record<string, unknown>> = { ...PARAMETERS, FIRST_ACCUMULATOR_HASH };
    const rows = coded("| name | value |");
    assert.ok(rows.length >= 14);
    for (const [name, [value]] of rows) assert.equal(BigInt(value!), BigInt(constants[name] as number), name);
    const { x, y } = G2_GENERATOR;
    assert.deepEqual(
      coded("| coordinate of `G₂` | value |").map(([, [value]]) => BigInt(value!)),
      [x.c0, x.c1, y.c0, y.c1],
    );
  });

  it("has the tag of every label that a hash begins with", () => {
    const rows = coded("| label | tag | first word of |");
    for (const [label, [tag]] of rows) assert.equal(BigInt(tag!), domainTag(label), label);
    const sources = globSync("{protocol,chain,task,member,client,aggregator,auditor,proving,content}/**/*.ts", {
      cwd: ROOT,
    }).map((path) => readFileSync(join(ROOT, path), "utf8"));
    const used = sources.flatMap((text) =>
      [...text.matchAll(/(?:domainTag|leafDigest|derive)\("([a-z-]+)"/g)].map(([, label]) => label!),
    );
    assert.deepEqual(rows.map(([label]) => label).sort(), [...new Set([...used, "combine"])].sort());
  });

  it("has the words of each hash in their order", () => {
    const point = (factor: bigint) => multiplyG1(G1_GENERATOR, factor);
    const [commitment, sum, ...wires] = [2n, 3n, 4n, 5n].map(point);
    const round = 7n;
    const client: Hex = `0x${word("client").slice(26)}`;
    const of = Object.fromEntries(
      ["deployment", "baseModelDigest", "sharesCid", "settlement", "aggregateDigest", "modelDigest", "intake"].map(
        (name) => [name, word(name)],
      ),
    ) as Readonly<Record<string, Hex>>;
    const shareHashes = [word("share 1"), word("share 2")];
    const head = {
      base: 6n,
      ...{ commitment: commitment!, sharesDigest: sharesDigest(shareHashes), sharesCid: of["sharesCid"]! },
      wiresDigest: wiresDigest(wires),
    };
    const record = { client, weight: 3, ...head };
    const [parametersHash, parentHash, prevRandao] = ["p", "q", "r"].map(word);
    const identity = { chainId: 5n, contract: client, parametersHash: parametersHash!, parentHash: parentHash! };
    const challenge = challengeOfHead({
      ...{ deployment: of["deployment"]!, round, client, weight: 3, baseModelDigest: of["baseModelDigest"]!, ...head },
      ...{ shareEvaluationCount: 4, chunkCount: wires.length },
    });
    const recordHash = recordHashOf(round, record);
    const settlement = { round, intake: of["intake"]!, included: 0b101n, totalWeight: 9, sum: sum! };
    const expected: Readonly<Record<string, bigint>> = {
      deployment: BigInt(deploymentOf({ ...identity, prevRandao: prevRandao! })),
      sharesDigest: BigInt(head.sharesDigest),
      wiresDigest: BigInt(head.wiresDigest),
      challenge: BigInt(challenge),
      ...challengePoints(challenge),
      record: BigInt(recordHash),
      intake: BigInt(extendIntake(extendIntake(ZERO_WORD, recordHash), recordHash)),
      settlement: BigInt(settlementOf(settlement)),
      resultPoint: resultPoint({ ...(of as never as Parameters<typeof resultPoint>[0]), round }),
    };
    const values: Readonly<Record<string, readonly (bigint | number | string)[]>> = {
      ...Object.fromEntries(Object.entries(of).map(([name, value]) => [name, [value]])),
      ...{ chainId: [5n], contract: [client], client: [client], round: [round], weight: [3], shareHashes },
      ...{ parametersHash: [parametersHash!], parentHash: [parentHash!], prevRandao: [prevRandao!] },
      ...{ "commitment.x": [commitment!.x], "commitment.y": [commitment!.y], "sum.x": [sum!.x], "sum.y": [sum!.y] },
      ...{ sharesDigest: [head.sharesDigest], wiresDigest: [head.wiresDigest], challenge: [challenge] },
      ...{ shareEvaluationCount: [4], chunkCount: [wires.length], base: [6n], included: [0b101n], totalWeight: [9] },
      record: [recordHash],
    };
    const items: Readonly<Record<string, readonly Readonly<Record<string, bigint | string>>[]>> = {
      wiresDigest: wires.map(({ x, y }) => ({ "D.x": x, "D.y": y })),
      intake: [{ record: recordHash }, { record: recordHash }],
    };
    const reduced = ["alpha", "z", "resultPoint"];
    const rows = table("| hash | words in order |");
    assert.deepEqual(rows.map(([name]) => codeIn(name!)[0]).sort(), Object.keys(expected).sort());
    for (const [first, words] of rows) {
      const name = codeIn(first!)[0]!;
      const hash = (known: typeof values, previous: Hex): Hex =>
        hashWords(
          codeIn(words!).flatMap((term) =>
            term.startsWith("tag ")
              ? [domainTag(term.slice(4))]
              : term === "previous"
                ? [BigInt(previous)]
                : known[term]!.map((value) => BigInt(value)),
          ),
        );
      const result = words!.startsWith("chain from 0: ")
        ? items[name]!.reduce<Hex>(
            (previous, item) =>
              hash(Object.fromEntries(Object.entries(item).map(([term, value]) => [term, [value]])), previous),
            ZERO_WORD,
          )
        : hash(values, ZERO_WORD);
      const value = BigInt(result);
      assert.equal(reduced.includes(name) ? value % PARAMETERS.FIELD_ORDER : value, expected[name], name);
    }
  });

  it("has the contract's functions, parameters and events", () => {
    for (const [signature, [selector]] of coded("| function | selector | answer |"))
      assert.equal(VERISUM_INTERFACE.getFunction(signature)!.selector, selector, signature);
    assert.deepEqual(
      coded("| field | type | meaning |").map(([name, [type]]) => ({ name, type })),
      TASK_PARAMETERS_FIELDS.map(({ name, type }) => ({ name, type })),
    );
    const fields = TASK_PARAMETERS_FIELDS.length;
    const places = table("| place | word |").map(([place]) => place);
    assert.deepEqual(places, ["0", `1 … ${fields - 1}`, `${fields}`, `${fields + 1}`, `${fields + 2} …`]);
    assert.ok(PAGE.includes(`${32 * fields} = ${fields}·32`));
    for (const [name, [signature, topic]] of coded("| event | signature | topic 0 |")) {
      const event = VERISUM_INTERFACE.getEvent(name)!;
      assert.deepEqual([event.format("sighash"), event.topicHash], [signature, topic]);
    }
  });

  it("has the layout of chunks", () => {
    const presets = table("| preset | `coordinateBits` | kinds: coordinates of a chunk, `N` |").map(
      ([name, bits, kinds]) => [codeIn(name!)[0], ...codeIn(bits!).map(Number), ...codeIn(kinds!).map(Number)],
    );
    assert.deepEqual(
      presets,
      Object.values(PARAMETERS.PRESETS).map(({ name, coordinateBits, kinds }) => [
        ...[name, coordinateBits],
        ...kinds.map(({ coordinates }) => coordinates),
      ]),
    );
  });

  it("has the words of the verification keys, and which are negated", () => {
    const g2 = (factor: bigint) => multiplyG2(G2_GENERATOR, factor);
    const bases = Array.from({ length: 7 }, (_, i) => multiplyG1(G1_GENERATOR, BigInt(i + 11)));
    const keys = {
      ...{ alpha: multiplyG1(G1_GENERATOR, 2n), beta: g2(3n), tau: g2(4n) },
      kinds: [{ delta: g2(5n), sigma: g2(6n), publicBases: bases }],
    };
    const values = { ...keys, ...keys.kinds[0]! };
    const words = table("| words | key | as it stands there |").flatMap(([count, key, form]) => {
      const name = codeIn(key!)[0] as keyof typeof values | undefined;
      if (name === undefined) return [];
      const value = values[name];
      const found = Array.isArray(value)
        ? (value as typeof bases).flatMap(({ x, y }) => [x, y])
        : name === "alpha"
          ? [keys.alpha.x, keys.alpha.y]
          : g2Words(form!.includes("`negated`") ? negateG2(value as never) : (value as never));
      assert.equal(found.length, Number(codeIn(count!)[0]), name);
      return found;
    });
    assert.equal(hashWords(words), hashWords(wordsOf(encodeVerificationKeys(keys))));
    assert.deepEqual(
      coded("| signal | value |").map(([signal]) => signal),
      PARAMETERS.CHUNK_PUBLIC_SIGNALS,
    );
  });

  it("has what is signed, and under which domain", () => {
    const types = Object.entries({ ...SIGNED_TYPES, ...INVITATION_TYPES }).map(([name, fields]) =>
      TypedDataEncoder.from({ [name]: [...fields] }).encodeType(name),
    );
    const rows = coded("| type | type hash |");
    assert.deepEqual(
      rows
        .slice(1)
        .map(([type]) => type)
        .sort(),
      types.sort(),
    );
    for (const [type, [hash]] of rows) assert.equal(id(type), hash, type);
    assert.ok(readFileSync(join(ROOT, "contracts/libraries/Signatures.sol"), "utf8").includes(`"${rows[0]![0]}"`));
    const domain = Object.fromEntries(coded("| domain | value |").map(([name, [value]]) => [name, value]));
    assert.deepEqual({ name: domain["name"], version: domain["version"] }, DOMAIN);
  });

  it("has the server's rules, the files of a checkpoint, and codes that there are", () => {
    const rules = coded("| `server.rule` | keeps, in order | numbers beside `fractionalBits` |");
    assert.deepEqual(
      rules,
      SERVER_RULES.map(({ name, keeps, parameters }) => [name, [...keeps, ...Object.keys(parameters)]]),
    );
    const checkpoint = table("| directory | files |").find(([directory]) => directory!.includes("checkpoint"));
    assert.deepEqual(codeIn(checkpoint![1]!), CHECKPOINT_FILES);
    for (const cells of table("| check | of | red if | code |")) {
      const code = codeIn(cells.at(-1)!)[0]!;
      assert.ok(Object.hasOwn(ERRORS, code), code);
    }
  });
});

function wordsOf(bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    bytes.subarray(32 * i, 32 * i + 32).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
  );
}
