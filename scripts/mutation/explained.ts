/**
 * Mutants that behave as the contract does, or differ only in what no test can see, each with its reason.
 * docs/mutants.md lists them; a test wants every entry to name mutants that exist.
 */
import type { Result } from "./results.ts";

/**
 * What names mutants: those that agree with every field. `before` is the line of source before, where the text repeats;
 * two of the same operator and text on one line have one name.
 */
export type MutantName = Pick<Result, "file" | "text"> & Partial<Pick<Result, "operator" | "before">>;

/** One reason, with the mutants that it holds for. */
export interface Explanation {
  readonly reason: string;
  readonly mutants: readonly MutantName[];
}

export const EXPLAINED: readonly Explanation[] = [
  {
    reason: "no round opens before a seat is filled, which begins the window anew",
    mutants: [
      {
        file: "contracts/Verisum.sol",
        operator: "drop statement",
        text: "_ledger.keyWindowStart = _now();",
      },
    ],
  },
  {
    reason: "costs gas only: the slot of a record is written earlier, so that a submission overwrites it",
    mutants: [
      {
        file: "contracts/Lists.sol",
        operator: "drop statement",
        text: "_records[_clientCount] = bytes32(uint256(1));",
      },
      { file: "contracts/Lists.sol", operator: "< to <=", text: "_clientCount < Protocol.MAX_COHORT" },
      {
        file: "contracts/Lists.sol",
        operator: "1 to 2",
        text: "1",
        before: "if (_clientCount < Protocol.MAX_COHORT && _records[_clientCount] == 0)",
      },
      {
        file: "contracts/Lists.sol",
        operator: "1 to 0",
        text: "1",
        before: "if (_clientCount < Protocol.MAX_COHORT && _records[_clientCount] == 0)",
      },
    ],
  },
  {
    reason: "never read: a round's first submission overwrites sum and hash, as the comment there says",
    mutants: [
      { file: "contracts/RoundBase.sol", operator: "drop statement", text: "_sum = G1Point(1, 2);" },
      {
        file: "contracts/RoundBase.sol",
        operator: "1 to 2",
        text: "1",
        before:
          "// Never read: the first submission of a round overwrites both, and non-zero slots are cheaper to overwrite.",
      },
      {
        file: "contracts/RoundBase.sol",
        operator: "1 to 0",
        text: "1",
        before:
          "// Never read: the first submission of a round overwrites both, and non-zero slots are cheaper to overwrite.",
      },
      { file: "contracts/RoundBase.sol", operator: "drop statement", text: "_roundHash = bytes32(uint256(1));" },
      { file: "contracts/RoundBase.sol", operator: "1 to 2", text: "1", before: "_sum = G1Point(1, 2);" },
      { file: "contracts/RoundBase.sol", operator: "1 to 0", text: "1", before: "_sum = G1Point(1, 2);" },
      { file: "contracts/RoundBase.sol", operator: "2 to 3", text: "2" },
      { file: "contracts/RoundBase.sol", operator: "2 to 1", text: "2" },
    ],
  },
  {
    reason: "makes more room than is written or read",
    mutants: [
      {
        file: "contracts/Submissions.sol",
        operator: "1 to 2",
        text: "1",
        before: "function submit(uint64 round_, Submission calldata submission) external {",
      },
      {
        file: "contracts/Submissions.sol",
        operator: "1 to 2",
        text: "1",
        before:
          "function finishSubmission(uint64 round_, ChunkProgress calldata progress, Submission calldata submission) external {",
      },
      {
        file: "contracts/libraries/Verification.sol",
        operator: "2 to 3",
        text: "2",
        before: "product.kinds = new KindSums[](task.kindCount);",
      },
    ],
  },
  {
    reason: "adds a pair of points at infinity, which leaves a pairing product as it is",
    mutants: [
      {
        file: "contracts/libraries/Verification.sol",
        operator: "2 to 3",
        text: "2",
        before: "uint256[] memory tau = DataContract.load(keysPointer, VerificationKeys.TAU, Bn254.G2_WORDS);",
      },
      {
        file: "contracts/libraries/VerificationKeys.sol",
        operator: "2 to 3",
        text: "2",
        before: 'if (words[0] == 1) revert IVerisum.VerisumKeysRefused("alpha is the generator");',
      },
    ],
  },
  {
    reason: "loads words of zero behind the data, which nothing reads",
    mutants: [{ file: "contracts/RoundBase.sol", operator: "32 to 31", text: "32" }],
  },
  {
    reason: "where as many seats as a quorum are filled, both sides are the quorum",
    mutants: [{ file: "contracts/Opening.sol", operator: "> to >=", text: "seats > _quorum" }],
  },
  {
    reason: "a task without a limit keeps no sets, and no task one of round 0: the bit that is read is zero",
    mutants: [
      {
        file: "contracts/TaskState.sol",
        operator: "|| to &&",
        text: "_maxRoundsPerClient == 0 || client.lastSubmittedRound == 0",
      },
    ],
  },
  {
    reason:
      "writes the count that was there: who may submit in a task without a limit, or with a limit of one, has none",
    mutants: [
      {
        file: "contracts/Submissions.sol",
        operator: "0 to 1",
        text: "0",
        before: "uint8 index = uint8(header.submitted);",
      },
    ],
  },
  {
    reason: "is a time before every block's",
    mutants: [
      {
        file: "contracts/Submissions.sol",
        operator: "0 to 1",
        text: "0",
        before: "function _endAtGoal(RoundHeader memory header) internal view {",
      },
    ],
  },
  {
    reason: "a deadline that is now makes the round Attesting in the same block, and that phase ends when it did",
    mutants: [{ file: "contracts/Submissions.sol", operator: "< to <=", text: "_now() < earliest" }],
  },
  {
    reason: "counters begin below 2^6, so that there is no further bit",
    mutants: [
      {
        file: "contracts/libraries/Tally.sol",
        operator: "< to <=",
        text: "k < PLANES",
        before: "uint256 first = (1 << PLANES) - goal;",
      },
    ],
  },
  {
    reason: "a list of one whose length says two: its first is read, and nothing else",
    mutants: [
      {
        file: "contracts/libraries/TaskLayout.sol",
        operator: "1 to 2",
        text: "1",
        before: "function decode(bytes memory encoded) internal pure returns (TaskParameters[] memory one) {",
      },
    ],
  },
  {
    reason: "the word is overwritten in the next lines",
    mutants: [
      {
        file: "contracts/libraries/TaskLayout.sol",
        operator: "0 to 1",
        text: "0",
        before: "function decode(bytes memory encoded) internal pure returns (TaskParameters[] memory one) {",
      },
    ],
  },
  {
    reason: "no bits are listed of the first parameter, which is a whole word, nor behind the last one",
    mutants: [
      {
        file: "contracts/libraries/TaskLayout.sol",
        operator: "0 to 1",
        text: "0",
        before: 'if (!canonical) return "the ABI\'s encoding";',
      },
      { file: "contracts/libraries/TaskLayout.sol", operator: "< to <=", text: "i < PARAMETER_WORDS" },
    ],
  },
  {
    reason: "where submitted equals minClients + maxCorrupt, both sides are minClients",
    mutants: [{ file: "contracts/Settling.sol", operator: "> to >=", text: "submitted > reached" }],
  },
  {
    reason:
      "takes 256 clients in one round: `test/contracts/gas-limits.test.ts` has them, and is left out with the other tests of gas",
    mutants: [
      { file: "contracts/Settling.sol", operator: "256 to 255", text: "256" },
      { file: "contracts/Settling.sol", operator: "256 to 257", text: "256" },
    ],
  },
  {
    reason: "cannot happen but for want of gas: keys and parameters are far shorter than a contract may be",
    mutants: [{ file: "contracts/libraries/DataContract.sol", operator: "drop check", text: "pointer == address(0)" }],
  },
  {
    reason: "s is exactly half the order with a probability of 2^-255, and nobody can sign so that it is",
    mutants: [{ file: "contracts/libraries/Signatures.sol", operator: "> to >=", text: "s > MAX_S" }],
  },
  {
    reason: "a kind without a key has no chunks: the search goes on to the next",
    mutants: [
      { file: "contracts/libraries/TaskLayout.sol", operator: "- to +", text: "kindCount_ - 1" },
      {
        file: "contracts/libraries/TaskLayout.sol",
        operator: "1 to 0",
        text: "1",
        before:
          "function kindOf(ChunkKinds kinds, uint256 chunk, uint256 kindCount_) internal pure returns (uint256 kind) {",
      },
    ],
  },
  {
    reason: "every preset satisfies the rule, so that no parameters are refused by it",
    mutants: [
      {
        file: "contracts/libraries/TaskLayout.sol",
        operator: "> to >=",
        text: "covered * offset * offset > Protocol.NORM_ACCUMULATOR_BOUND",
      },
    ],
  },
  {
    reason: "every equation is raised to twice its power: the product is one exactly if it was",
    mutants: [
      {
        file: "contracts/libraries/Verification.sol",
        operator: "1 to 2",
        text: "1",
        before: "product.s = Transcript.combinationBase();",
      },
    ],
  },
  {
    reason: "another number of kinds is refused in the next line, for its length is not that of the keys",
    mutants: [
      { file: "contracts/libraries/VerificationKeys.sol", operator: "< to <=", text: "bytesLength / 32 < HEAD_WORDS" },
      {
        file: "contracts/libraries/VerificationKeys.sol",
        operator: "32 to 33",
        text: "32",
        before: "function kindsIn(uint256 bytesLength) internal pure returns (uint256 kinds) {",
      },
      {
        file: "contracts/libraries/VerificationKeys.sol",
        operator: "32 to 31",
        text: "32",
        before: "function kindsIn(uint256 bytesLength) internal pure returns (uint256 kinds) {",
      },
      {
        file: "contracts/libraries/VerificationKeys.sol",
        operator: "0 to 1",
        text: "0",
        before: "function kindsIn(uint256 bytesLength) internal pure returns (uint256 kinds) {",
      },
      { file: "contracts/libraries/VerificationKeys.sol", operator: "- to +", text: "bytesLength / 32 - HEAD_WORDS" },
    ],
  },
  {
    reason: "the head's ten words, twice, are fewer than a kind's 22: the quotient is the same",
    mutants: [
      { file: "contracts/libraries/VerificationKeys.sol", operator: "- to +", text: "words.length - HEAD_WORDS" },
    ],
  },
  {
    reason: "checks the point as well with any other scalar, and the product is not used",
    mutants: [
      {
        file: "contracts/libraries/VerificationKeys.sol",
        operator: "1 to 2",
        text: "1",
        before:
          'if (words[position] | words[position + 1] == 0) revert IVerisum.VerisumKeysRefused("a G1 point is infinity");',
      },
      {
        file: "contracts/libraries/VerificationKeys.sol",
        operator: "1 to 0",
        text: "1",
        before:
          'if (words[position] | words[position + 1] == 0) revert IVerisum.VerisumKeysRefused("a G1 point is infinity");',
      },
    ],
  },
  {
    reason: "compares with a place that is still zero, and an x of zero was refused",
    mutants: [{ file: "contracts/libraries/VerificationKeys.sol", operator: "< to <=", text: "other < index" }],
  },
];

/** Whether a name is this mutant's. */
export function isNamed(mutant: MutantName & Pick<Result, "operator" | "before">, name: MutantName): boolean {
  return Object.entries(name).every(([field, value]) => mutant[field as keyof MutantName] === value);
}

/** Why this mutant cannot be noticed, or undefined. */
export function reasonFor(mutant: Pick<Result, "file" | "text" | "operator" | "before">): string | undefined {
  return EXPLAINED.find(({ mutants }) => mutants.some((name) => isNamed(mutant, name)))?.reason;
}
