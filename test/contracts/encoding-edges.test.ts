/** The ends of the parameters' encoding: its padding, whatever the number of chunks. */
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeWords } from "../../protocol/field.ts";
import { parameterWords } from "../../protocol/task.ts";
import { toHex } from "../../protocol/transcript.ts";
import { bytes32, reverts } from "../support/reverts.ts";
import { KEYS_BLOB, openChain, PARAMETERS } from "../support/task-on-chain.ts";

describe("the encoding of the parameters", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  before(async () => void (connection = await openChain()));
  after(() => connection.close());

  for (const count of [1, 2, 31, 33, 47])
    it(`has no bit set behind ${count} chunks`, async () => {
      const words = parameterWords({ ...PARAMETERS, chunkKinds: Array<number>(count).fill(0), dimension: count * 588 });
      const factory = await connection.ethers.getContractFactory("Verisum");
      const [operator] = await connection.ethers.getSigners();
      const deploy = (given: readonly bigint[]): Promise<unknown> =>
        factory.deploy(toHex(encodeWords(given)), KEYS_BLOB, operator!.address);
      await deploy(words);
      const last = words.length - 1;
      const paddingBits = BigInt(8 * (32 - (count % 32)));
      for (const bit of [0n, paddingBits - 1n])
        await reverts(
          deploy(words.with(last, words[last]! | (1n << bit))),
          "VerisumParameterInvalid",
          bytes32("the ABI's encoding"),
        );
    });

  it("ends with a whole word", async () => {
    const words = parameterWords({ ...PARAMETERS, chunkKinds: Array<number>(32).fill(0), dimension: 32 * 588 });
    const factory = await connection.ethers.getContractFactory("Verisum");
    const [operator] = await connection.ethers.getSigners();
    for (const more of [1, 5, 31])
      await reverts(
        factory.deploy(toHex(Buffer.concat([encodeWords(words), new Uint8Array(more)])), KEYS_BLOB, operator!.address),
        "VerisumParameterInvalid",
        bytes32("the ABI's encoding"),
      );
    await factory.deploy(toHex(encodeWords(words)), KEYS_BLOB, operator!.address);
  });
});
