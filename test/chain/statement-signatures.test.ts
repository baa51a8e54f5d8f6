import assert from "node:assert/strict";
import { TypedDataEncoder, Wallet } from "ethers";
import { describe, it } from "mocha";
import {
  checkStatement,
  recoverStatementSigner,
  signStatement,
  statementDigest,
} from "../../chain/statement-signatures.ts";
import type { StatementKind, StatementKinds } from "../../chain/statement-signatures.ts";
import type { CompactSignature, TaskContext } from "../../chain/task-chain.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { throwsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

const CONTEXT: TaskContext = { chainId: 5n, contract: `0x${"42".repeat(20)}`, deployment: word("deployment") };
const WALLETS = [1, 2, 3].map((i) => new Wallet(word(`member ${i}`)));
const MEMBERS = WALLETS.map(({ address }) => address.toLowerCase() as Hex);

const STATEMENTS: StatementKinds = {
  Attestation: { round: 3n, intake: word("intake"), good: 0b101n, refused: 0b010n },
  Release: { round: 3n, settlement: word("settlement"), releaseCid: word("release") },
  Result: {
    ...{ round: 3n, settlement: word("settlement") },
    ...{ aggregateCid: word("a"), aggregateDigest: word("b"), modelCid: word("c"), modelDigest: word("d") },
  },
};

/** As the documents state them. */
const TYPES: Record<StatementKind, string> = {
  Attestation: "uint64 round,bytes32 intake,uint256 good,uint256 refused",
  Release: "uint64 round,bytes32 settlement,bytes32 releaseCid",
  Result:
    "uint64 round,bytes32 settlement,bytes32 aggregateCid,bytes32 aggregateDigest,bytes32 modelCid,bytes32 modelDigest",
};

const ZERO: CompactSignature = { r: `0x${"00".repeat(32)}`, vs: `0x${"00".repeat(32)}` };
const KINDS = Object.keys(STATEMENTS) as StatementKind[];

/** A statement with one field changed, for each field. */
function changes<K extends StatementKind>(kind: K): [string, StatementKinds[K]][] {
  const statement = STATEMENTS[kind];
  return Object.entries(statement).map(([field, value]: [string, bigint | Hex]) => {
    const other = typeof value === "bigint" ? value + 1n : word("another");
    return [field, { ...statement, [field]: other }];
  });
}

for (const kind of KINDS) {
  describe(`the signature of ${kind === "Attestation" ? "an attestation" : `a ${kind.toLowerCase()}`}`, () => {
    const sign = (context = CONTEXT): Promise<CompactSignature> =>
      signStatement(WALLETS[1]!, context, kind, STATEMENTS[kind]);
    const signedBy2 = async (): Promise<
      StatementKinds[StatementKind] & { seat: number; signature: CompactSignature }
    > => ({
      ...STATEMENTS[kind],
      seat: 2,
      signature: await sign(),
    });

    it("is the seat's, with an address in any case", async () => {
      const statement = await signedBy2();
      checkStatement(CONTEXT, MEMBERS, kind, statement);
      checkStatement(
        CONTEXT,
        WALLETS.map(({ address }) => address as Hex),
        kind,
        statement,
      );
      assert.equal(recoverStatementSigner(CONTEXT, kind, statement, statement.signature), MEMBERS[1]);
    });

    it("is no other seat's, nor of a seat that nobody has", async () => {
      const statement = await signedBy2();
      for (const seat of [0, 1, 3, 4, -1, 1.5])
        throwsCode(() => checkStatement(CONTEXT, MEMBERS, kind, { ...statement, seat }), "SIGNATURE_INVALID");
    });

    it("is over each of its fields", async () => {
      const { seat, signature } = await signedBy2();
      for (const [, changed] of changes(kind))
        throwsCode(() => checkStatement(CONTEXT, MEMBERS, kind, { ...changed, seat, signature }), "SIGNATURE_INVALID");
    });

    it("is good for one chain, contract and deployment", async () => {
      const statement = await signedBy2();
      const others: Partial<TaskContext>[] = [
        { chainId: 6n },
        { contract: `0x${"43".repeat(20)}` },
        { deployment: word("another") },
      ];
      for (const other of others)
        throwsCode(() => checkStatement({ ...CONTEXT, ...other }, MEMBERS, kind, statement), "SIGNATURE_INVALID");
    });

    it("is refused where it is malformed or has a high s", async () => {
      const { r, vs } = await sign();
      const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const s = BigInt(vs) & (2n ** 255n - 1n);
      const parity = (BigInt(vs) >> 255n) ^ 1n;
      const high: Hex = `0x${((parity << 255n) | ((order - s) & (2n ** 255n - 1n))).toString(16).padStart(64, "0")}`;
      for (const signature of [ZERO, { r, vs: high }, { r: "0x" as Hex, vs }, { r: "text" as Hex, vs }])
        throwsCode(
          () => checkStatement(CONTEXT, MEMBERS, kind, { ...STATEMENTS[kind], seat: 2, signature }),
          "SIGNATURE_INVALID",
        );
    });

    it("has the documented type", () => {
      const fields = TYPES[kind].split(",").map((field) => {
        const [type, name] = field.split(" ") as [string, string];
        return { type, name };
      });
      const { chainId, contract, deployment } = CONTEXT;
      const domain = { name: "Verisum", version: "1", chainId, verifyingContract: contract, salt: deployment };
      assert.equal(
        statementDigest(CONTEXT, kind, STATEMENTS[kind]),
        TypedDataEncoder.hash(domain, { [kind]: fields }, STATEMENTS[kind]),
      );
    });
  });
}
