import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { addressFault, withChecksum } from "../../protocol/address.ts";
import type { Hex } from "../../protocol/transcript.ts";

/** The examples of EIP-55. */
const EXAMPLES = [
  "0x52908400098527886E0F7030069857D2E4169EE7",
  "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
  "0xde709f2102306220921060314715629080e2fb77",
  "0x27b1fdb04752bbc536007a920d24acb045561c26",
  "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
  "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
  "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
  "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];

describe("addresses", () => {
  it("have the checksums of EIP-55", () => {
    for (const address of EXAMPLES) assert.equal(withChecksum(address.toLowerCase() as Hex), address);
  });

  it("pass with their checksum, or in one case only", () => {
    for (const address of EXAMPLES)
      for (const text of [address, address.toLowerCase(), `0x${address.slice(2).toUpperCase()}`])
        assert.equal(addressFault(text), undefined, text);
  });

  it("are refused with any letter's case changed, or another length", () => {
    const [, , , , address] = EXAMPLES as [string, string, string, string, string];
    for (let i = 2; i < address.length; i++) {
      const digit = address[i]!;
      if (/[0-9]/.test(digit)) continue;
      const other = digit === digit.toLowerCase() ? digit.toUpperCase() : digit.toLowerCase();
      assert.match(addressFault(address.slice(0, i) + other + address.slice(i + 1)) ?? "", /EIP-55/);
    }
    for (const text of [
      "",
      "0x",
      address.slice(0, -1),
      `${address}0`,
      address.slice(2),
      `${address} `,
      "0xg".padEnd(42, "0"),
    ])
      assert.match(addressFault(text) ?? "", /40 hexadecimal digits/, text);
  });
});
