import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { EXPLAINED, isNamed } from "../../scripts/mutation/explained.ts";
import { orderedFiles } from "../../scripts/mutation/order.ts";
import { stillHolds } from "../../scripts/mutation/results.ts";
import type { Result } from "../../scripts/mutation/results.ts";
import { findMutants, NONE_IS_ON, SWITCH_FILE, withMutants } from "../../scripts/mutation/schemata.ts";

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
    for (const { number } of mutants) assert.match(sources[FILE]!, new RegExp(`isOn\\(${number}\\)`));
  });

  it("compile without those that leave a storage pointer unassigned, which the compiler blames on its declaration", () => {
    const source = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

contract Accounts {
    struct Account {
        uint256 count;
    }
    mapping(address account => Account) private _accounts;

    function add() external {
        _of(msg.sender).count += 1;
    }

    function _of(address account) private view returns (Account storage entry) {
        entry = _accounts[account];
        if (entry.count == 0) return entry;
    }
}
`;
    const pointers = findMutants({ [FILE]: source }, [FILE]);
    const { mutants } = withMutants({ [FILE]: source }, pointers);
    const refused = pointers.filter(({ number }) => !mutants.some((mutant) => mutant.number === number));
    assert.deepEqual(
      refused.map(({ line, operator }) => `${line} ${operator}`),
      ["15 drop statement"],
    );
  });

  it("leave each line where it was", () => {
    const { sources } = withMutants({ [FILE]: SOURCE }, found);
    assert.ok(sources[FILE]!.split("\n")[12]!.includes("last = "));
  });

  it("compile as well where none is on and each tells that it was reached", () => {
    const { sources, mutants } = withMutants({ [FILE]: SOURCE }, found, NONE_IS_ON);
    assert.equal(mutants.length, found.length - 1);
    assert.match(sources[SWITCH_FILE]!, /0xc0be/i);
  });
});

describe("mutants that are explained", function () {
  this.timeout(30_000);

  it("exist, each of them", () => {
    const files = globSync("contracts/**/*.sol").sort();
    const sources = Object.fromEntries(files.map((file) => [file, readFileSync(file, "latin1")]));
    const found = findMutants(
      sources,
      files.filter((file) => /^contracts\/(libraries\/)?\w+\.sol$/.test(file)),
    );
    const names = EXPLAINED.flatMap(({ mutants }) => mutants);
    assert.deepEqual(
      names.filter((name) => !found.some((mutant) => isNamed(mutant, name))),
      [],
    );
  });
});

describe("a mutation run", () => {
  const result: Result = {
    id: "1",
    file: FILE,
    line: 11,
    operator: "drop check",
    text: "",
    before: "",
    outcome: "killed",
    failure: "a test",
    by: "test/contracts/b.test.ts",
    missed: [],
    tests: { "test/contracts/b.test.ts": "old" },
    seconds: 1,
  };

  it("keeps what a test noticed until that test changes, whatever is added", () => {
    const tests = new Map([
      ["test/contracts/a.test.ts", "new"],
      ["test/contracts/b.test.ts", "old"],
    ]);
    assert.ok(stillHolds(result, tests));
    assert.ok(!stillHolds(result, tests.set("test/contracts/b.test.ts", "new")));
    tests.delete("test/contracts/b.test.ts");
    assert.ok(!stillHolds(result, tests));
  });

  it("leaves out the files that do not reach a mutant, and begins with what noticed its neighbours", () => {
    const reach = new Map(
      Object.entries({ a: [1, 2], b: [1], c: [2] }).map(([name, reached]) => [
        `test/contracts/${name}.test.ts`,
        { digest: "", seconds: 1, reached },
      ]),
    );
    const at = (line: number): { number: number; file: string; line: number } => ({ number: 1, file: FILE, line });
    const files = ["a", "b"].map((name) => `test/contracts/${name}.test.ts`);
    assert.deepEqual(orderedFiles(at(12), reach, [result], ""), files.toReversed());
    assert.deepEqual(orderedFiles(at(100), reach, [result], ""), files);
    assert.deepEqual(orderedFiles(at(100), reach, [result], files[1]!), files.toReversed());
  });
});
