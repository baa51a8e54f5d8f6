import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { coverageOf, coverageTable, missedTable } from "../../scripts/mutation/coverage.ts";
import { pointsOf } from "../../scripts/mutation/points.ts";
import { findMutants, NONE_IS_ON, withMutants } from "../../scripts/mutation/schemata.ts";

const FILE = "contracts/Counter.sol";
const SOURCE = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

contract Counter {
    error Refused();
    uint256 private constant MOST = true ? 3 : 4;
    uint256 public count;

    function add(uint256 more, bool twice) external returns (bool isMost) {
        if (!(count + more <= MOST || twice) && more != 0) revert Refused();
        else if (more == 7) count = 1;
        for (uint256 i = 0; i < more; ++i) count += twice ? 2 : 1;
        isMost = count == MOST || more == 9; return isMost;
    }
}
`;

describe("the coverage of a contract", () => {
  const points = findMutants({ [FILE]: SOURCE }, [FILE], pointsOf);

  it("counts statements, and each simple condition once, true and false", () => {
    const at = (operator: string): string[] =>
      points.filter((point) => point.operator === operator).map(({ line, text }) => `${line} ${text.slice(0, 24)}`);
    assert.deepEqual(at("statement"), [
      "10 if (!(count + more <= MO",
      "10 revert Refused();",
      "11 if (more == 7) count = 1",
      "11 count = 1;",
      "12 for (uint256 i = 0; i < ",
      "12 count += twice ? 2 : 1;",
      "13 isMost = count == MOST |",
      "13 return isMost;",
    ]);
    const conditions = [
      "10 count + more <= MOST",
      "10 twice",
      "10 more != 0",
      "11 more == 7",
      "12 i < more",
      "12 twice",
      "13 count == MOST",
      "13 more == 9",
    ];
    assert.deepEqual(at("true"), conditions);
    assert.deepEqual(at("false"), conditions);
  });

  it("compiles with every point in its place", () => {
    const { sources, mutants } = withMutants({ [FILE]: SOURCE }, points, NONE_IS_ON);
    assert.equal(mutants.length, points.length);
    for (const { number } of points) assert.match(sources[FILE]!, new RegExp(`isOn\\(${number}\\)`));
  });

  it("counts a line of which a statement was not reached as missed, and tells what was", () => {
    const without = (...names: readonly string[]): ReadonlySet<number> =>
      new Set(
        points.filter(({ operator, text }) => !names.includes(`${operator} ${text}`)).map(({ number }) => number),
      );
    const coverage = coverageOf(points, without("statement revert Refused();", "true twice", "false more == 9"));
    assert.deepEqual(coverage.contracts, [
      { contract: FILE, lines: 4, linesReached: 3, branches: 16, branchesReached: 13 },
    ]);
    assert.deepEqual(
      coverage.missed.map(({ line, operator }) => `${line} ${operator}`),
      ["10 true", "10 statement", "12 true", "13 false"],
    );
    assert.ok(coverageTable(coverage).endsWith("| all | 3 of 4 | 75.0 % | 13 of 16 | 81.3 % |"));
    assert.match(missedTable(coverage), /Counter.sol:13 \| never false \| `more == 9` \|$/);
  });
});
