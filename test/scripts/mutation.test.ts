import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { findMutants, SWITCH_FILE, withMutants } from "../../scripts/mutation/schemata.ts";

const FILE = "contracts/Counter.sol";
const SOURCE = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

contract Counter {
    error Refused();
    uint256 private constant MOST = 3 + 4;
    bytes32 public last;
    uint256 public count;

    function add(uint256 more, address from) external {
        if (count + more > MOST || from == address(0)) revert Refused();
        for (uint256 i = 0; i < more; ++i) count += 1;
        last = keccak256(abi.encode(more));
    }
}
`;

describe("mutants of a contract", function () {
  this.timeout(30_000);
  const found = findMutants({ [FILE]: SOURCE }, [FILE]);

  it("are what each operator makes of each place that runs", () => {
    assert.deepEqual(
      found.map(({ line, operator, text }) => `${line} ${operator}: ${text}`),
      [
        "11 negate condition: count + more > MOST || from == address(0)",
        "11 drop check: count + more > MOST || from == address(0)",
        "11 || to &&: count + more > MOST || from == address(0)",
        "11 > to >=: count + more > MOST",
        "11 + to -: count + more",
        "11 == to !=: from == address(0)",
        "11 0 to 1: 0",
        "12 0 to 1: 0",
        "12 < to <=: i < more",
        "12 drop statement: count += 1;",
        "12 1 to 2: 1",
        "12 1 to 0: 1",
        "13 drop statement: last = keccak256(abi.encode(more));",
        "13 constant hash: keccak256(abi.encode(more))",
      ],
    );
  });

  it("compile together, but for those that have no type", () => {
    const { sources, mutants } = withMutants({ [FILE]: SOURCE }, found.toReversed());
    assert.deepEqual(Object.keys(sources), [FILE, SWITCH_FILE]);
    const kept = new Set(mutants.map(({ number }) => number));
    assert.deepEqual(
      found.filter(({ number }) => !kept.has(number)).map(({ line, operator }) => `${line} ${operator}`),
      ["11 0 to 1"],
    );
    for (const { number } of mutants) assert.match(sources[FILE]!, new RegExp(`mutant\\(\\) == ${number}\\b`));
  });

  it("leave each line where it was", () => {
    const { sources } = withMutants({ [FILE]: SOURCE }, found);
    assert.ok(sources[FILE]!.split("\n")[12]!.includes("last = "));
  });
});
