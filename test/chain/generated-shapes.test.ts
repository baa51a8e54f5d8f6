/**
 * What the contract's interface gains, chain/ and the chain in memory must know: a change that they do not follow has
 * to fail to compile.
 */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import ts from "typescript";
import { generateAbiFiles } from "../../scripts/generate-abi.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const TYPES = "types/VerisumTypes.sol";
const INTERFACE = "interfaces/IVerisum.sol";

/** A change of the contract's source, and the files that do not compile after it. */
interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly breaks: readonly string[];
}

const CHANGES: Readonly<Record<string, Change>> = {
  "a parameter": {
    file: TYPES,
    from: "    uint8 quorum;\n",
    to: "    uint8 quorum;\n    uint16 maxSilent;\n",
    breaks: ["chain/codec.ts"],
  },
  "another order of two parameters": {
    file: TYPES,
    from: "    uint8 threshold;\n    uint8 quorum;\n",
    to: "    uint8 quorum;\n    uint8 threshold;\n",
    breaks: ["chain/codec.ts"],
  },
  "a parameter that is no longer one word": {
    file: TYPES,
    from: "    bytes32 keysHash;\n",
    to: "    bytes keysHash;\n",
    breaks: ["chain/codec.ts"],
  },
  "a field of a submission": {
    file: TYPES,
    from: "    uint256[] shareEvaluations;\n",
    to: "    uint256[] shareEvaluations;\n    uint256 salt;\n",
    breaks: ["chain/codec.ts"],
  },
  "a field of a chunk's proof": {
    file: TYPES,
    from: "    uint256 h;\n}\n\n/// @notice Everything a client",
    to: "    uint256 h;\n    uint256 g;\n}\n\n/// @notice Everything a client",
    breaks: ["chain/codec.ts"],
  },
  "a field of the round": {
    file: TYPES,
    from: "    uint32 proposedMembers;\n",
    to: "    uint32 proposedMembers;\n    uint64 openedAt;\n",
    breaks: ["chain/codec.ts", "test/support/memory-chain/rounds.ts"],
  },
  "an argument of an event": {
    file: INTERFACE,
    from: "        uint32 members,\n        uint32 totalWeight,\n",
    to: "        uint32 members,\n        uint32 totalWeight,\n        uint64 timestamp,\n",
    breaks: ["chain/round-records.ts", "test/support/memory-chain/settling.ts"],
  },
  "an event of a round": {
    file: INTERFACE,
    from: "    event Aborted(",
    to: "    event Slashed(uint64 indexed round, uint8 seat);\n    event Aborted(",
    breaks: ["chain/round-records.ts"],
  },
  "an argument of a call": {
    file: INTERFACE,
    from: "function abort(uint64 round)",
    to: "function abort(uint64 round, bytes32 why)",
    breaks: ["chain/writer.ts", "test/support/memory-chain/writer.ts"],
  },
  "a call": {
    file: INTERFACE,
    from: "    function openRound() external",
    to: "    function pause() external;\n    function openRound() external",
    breaks: ["test/support/memory-chain/chain.ts"],
  },
  "an argument of an error": {
    file: INTERFACE,
    from: "error VerisumTooFewReleases(uint256 releases, uint256 threshold)",
    to: "error VerisumTooFewReleases(uint256 releases, uint256 threshold, uint256 seats)",
    breaks: ["test/support/memory-chain/rounds.ts"],
  },
  "a result of a question": {
    file: TYPES,
    from: "    uint64 activeFromRound;\n",
    to: "    uint64 joinedAt;\n    uint64 activeFromRound;\n",
    breaks: ["chain/codec.ts"],
  },
  "a field of what members sign": {
    file: "libraries/Signatures.sol",
    from: "bytes32 modelDigest)",
    to: "bytes32 modelDigest,uint32 signers)",
    breaks: ["chain/statement-signatures.ts"],
  },
};

describe("the shapes that the contract and TypeScript share", function () {
  this.timeout(60_000);
  const brokenBy = typeChecker("chain/", "test/support/memory-chain");
  let contracts: string;
  before(async () => {
    contracts = await mkdtemp(join(tmpdir(), "verisum-contracts-"));
    await cp(join(ROOT, "contracts"), contracts, { recursive: true });
  });
  after(() => rm(contracts, { recursive: true, force: true }));

  it("compile as they are", () => assert.deepEqual(brokenBy(generateAbiFiles(contracts)), []));

  for (const [name, { file, from, to, breaks }] of Object.entries(CHANGES)) {
    it(`do not compile when the contract has ${name} and TypeScript does not`, async () => {
      const path = join(contracts, file);
      const source = await readFile(path, "utf8");
      assert.equal(source.split(from).length, 2, "the change is of one place");
      await writeFile(path, source.replace(from, to));
      const broken = brokenBy(generateAbiFiles(contracts));
      await writeFile(path, source);
      assert.deepEqual(broken, breaks);
    });
  }
});

/** Says which files below these paths do not compile when some have other contents, given by path from the root. */
function typeChecker(...below: readonly string[]): (changed: Readonly<Record<string, string>>) => string[] {
  const config = ts.readConfigFile(join(ROOT, "tsconfig.json"), (path) => ts.sys.readFile(path));
  const { options, fileNames } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const rootNames = fileNames.filter((path) => below.some((start) => relative(ROOT, path).startsWith(start)));
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  const sources = new Map<string, ts.SourceFile | undefined>();
  let oldProgram: ts.Program | undefined;
  return (changed) => {
    const contents = new Map(Object.entries(changed).map(([path, content]) => [join(ROOT, path), content]));
    host.getSourceFile = (path, version) => {
      const content = contents.get(path);
      if (content !== undefined) return ts.createSourceFile(path, content, version, true);
      if (!sources.has(path)) sources.set(path, read(path, version));
      return sources.get(path);
    };
    oldProgram = ts.createProgram({ rootNames, options, host, ...(oldProgram === undefined ? {} : { oldProgram }) });
    return rootNames
      .filter((path) => oldProgram!.getSemanticDiagnostics(oldProgram!.getSourceFile(path)).length > 0)
      .map((path) => relative(ROOT, path));
  };
}
