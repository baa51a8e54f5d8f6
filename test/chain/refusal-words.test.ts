import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "mocha";
import { refusalOf } from "../../chain/refusal-words.ts";
import type { Refusal } from "../../chain/refusal-words.ts";
import { openEndpoint } from "../../chain/rpc.ts";
import type { Endpoint } from "../../chain/rpc.ts";

/** As the nodes themselves say it; the numbers in them are made up. */
const SAID: Readonly<Record<Refusal, readonly string[]>> = {
  known: [
    "already known", // go-ethereum, Reth
    "ALREADY_EXISTS: already known", // Erigon
    "existing tx with same hash", // Erigon
    "AlreadyKnown", // Nethermind
    "Known transaction", // Besu
    "Known transaction: 0xabcd", // Hardhat
    "transaction already imported", // Anvil
    "Transaction with the same hash was already imported.", // Parity
    "known transaction. transaction with hash 0xabcd is already in the system", // zkSync
  ],
  "nonce-used": [
    "nonce too low", // Erigon
    "nonce too low: next nonce 7, tx nonce 5", // go-ethereum, Reth
    "nonce too low: address 0xabcd, tx: 5 state: 7", // go-ethereum's descendants
    "OldNonce, Current nonce: 7, nonce of rejected tx: 5.", // Nethermind
    "Nonce too low", // Besu
    "Transaction nonce 5 below sender account nonce 7", // Besu
    "Nonce too low. Expected nonce to be 7 but got 5.", // Hardhat
    "Transaction nonce is too low. Try incrementing the nonce.", // Parity
    "nonce too low. allowed nonce range: 7 - 57, actual: 5", // zkSync
    "invalid transaction: nonce too low", // Infura
  ],
  underpriced: [
    "replacement transaction underpriced",
    "transaction underpriced: gas tip cap 1, minimum needed 2",
    "could not replace existing tx", // Erigon
    "fee cap less than block base fee", // Erigon
    "fee too low", // Erigon
    "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 2, MaxPriorityFeePerGas:1, Block number: 3", // Nethermind
    "FeeTooLowToCompete", // Nethermind
    "ReplacementNotAllowed", // Nethermind
    "Replacement transaction underpriced", // Besu
    "Gas price below current base fee", // Besu
    "Gas price below configured minimum gas price", // Besu
    "max fee per gas less than block base fee: address 0xabcd, maxFeePerGas: 1, baseFee: 2", // go-ethereum
    "max fee per gas less than block base fee", // Reth, Anvil
    "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 2 is necessary to replace it.", // Hardhat
    "There is another transaction with same nonce in the queue, or the transaction's gas price is too low. Try increasing the gas price or incrementing the nonce.", // Parity
  ],
  funds: [
    "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1", // go-ethereum, Reth
    "insufficient funds for transfer",
    "InsufficientFunds, Account balance: 1, cumulative cost: 2", // Nethermind
    "Upfront cost exceeds account balance", // Besu
    "Sender doesn't have enough funds to send tx. The max upfront cost is: 2 and the sender's balance is: 1.", // Hardhat
    "Insufficient funds. The account you tried to send transaction from does not have enough funds.", // Parity
    "gas required exceeds allowance (0)", // go-ethereum
    "lack of funds (1) for max fee (2)", // Anvil
    "insufficient balance for transfer",
  ],
  other: [
    "txpool is full",
    "intrinsic gas too low",
    "exceeds block gas limit",
    "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)",
    "Max priority fee per gas exceeds max fee per gas",
    "nonce too high",
    "invalid sender",
    "transaction type not supported",
  ],
};

describe("a node that does not take a transaction", function () {
  this.timeout(20_000);
  let server: Server;
  let endpoint: Endpoint;
  let message = "";
  before(async () => {
    server = createServer((incoming, response) => {
      const pieces: Buffer[] = [];
      incoming.on("data", (piece: Buffer) => pieces.push(piece));
      incoming.on("end", () => {
        const asked = JSON.parse(Buffer.concat(pieces).toString()) as { id: number } | { id: number }[];
        const answer = Array.isArray(asked)
          ? asked.map(({ id }) => ({ jsonrpc: "2.0", id, result: "0x1" }))
          : { jsonrpc: "2.0", id: asked.id, error: { code: -32_000, message } };
        response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ({ endpoint } = await openEndpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined));
  });
  after(() => (server.closeAllConnections(), server.close()));

  for (const [refusal, messages] of Object.entries(SAID))
    it(`is understood: ${refusal}`, async () => {
      for (message of messages) {
        const error: unknown = await endpoint.provider.send("eth_sendRawTransaction", ["0x02"]).then(
          () => assert.fail("it took the transaction"),
          (thrown: unknown) => thrown,
        );
        assert.equal(refusalOf(error), refusal, message);
      }
    });
});
