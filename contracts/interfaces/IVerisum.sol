// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {
    ExcludedClient,
    G1Point,
    ModelRecord,
    Phase,
    RoundResult,
    RoundState,
    Submission,
    TaskParameters
} from "../types/VerisumTypes.sol";

/// @title One federated-learning task: its rounds, from commitments to a checked aggregate.
interface IVerisum {
    event MemberRegistered(uint8 indexed seat, address indexed member);
    event ClientRegistered(address indexed client, uint16 weight, uint64 activeFromRound);
    event ClientLeft(address indexed client);
    event RoundKeysRegistered(uint8 indexed seat, uint64 indexed firstRound, bytes32[] keys);
    event EndpointAnnounced(address indexed account, string endpoint);
    event RoundOpened(uint64 indexed round, bytes32 baseModelCid, bytes32 baseModelDigest, uint64 deadline, uint32 keyMask);
    event Submitted(uint64 indexed round, address indexed client, uint8 index, uint16 weight, Submission submission);
    event PhaseChanged(uint64 indexed round, Phase phase, uint64 deadline);
    event Attested(uint64 indexed round, uint8 indexed seat, uint256 bitmap);
    event Proposed(uint64 indexed round, uint32 members, uint256 included);
    event Settled(uint64 indexed round, uint256 included, uint32 members, uint32 totalWeight, G1Point sum);
    event Released(uint64 indexed round, uint8 indexed seat, bytes32 releaseCid);
    /// @dev Carries the opening and the signatures, so that an auditor re-checks them from the log alone
    /// (read by adapters/chain; see `FinalisedRecord` in adapters/chain/task-chain.ts, which the TypeScript class implements).
    event Finalised(
        uint64 indexed round,
        RoundResult result,
        uint256 evaluation,
        G1Point opening,
        uint32 signers,
        bytes32[2][] signatures
    );
    event Aborted(uint64 indexed round, Phase during);

    /// @notice Seats are 1 .. n in the order of registration; operator only, before the first round.
    function registerMember(address member) external;
    /// @notice Allow-list registration; operator only. Takes effect with the next round that opens.
    function registerClient(address client, uint16 weight) external;
    /// @notice Open registration with weight 1 for the bond.
    function join() external payable;
    /// @notice A client leaves between rounds; its bond becomes withdrawable.
    function unregister() external;
    function withdrawBond() external;
    /// @notice One-time X25519 keys of the calling member for consecutive rounds that have not opened.
    function registerRoundKeys(uint64 firstRound, bytes32[] calldata keys) external;
    /// @notice Publishes the caller's HTTP endpoint (gateway and API).
    function announce(string calldata endpoint) external;

    /// @notice Opens the next round on the latest model. Anybody.
    function openRound() external returns (uint64 round);
    /// @notice Checks everything of docs/protocol.md, section 5, and adds the commitment to the sum.
    function submit(uint64 round, Submission calldata submission) external;
    /// @notice Ends a phase whose deadline passed, or Collecting once everybody expected has submitted. Anybody.
    function advance(uint64 round) external;
    function attest(uint64 round, uint256 bitmap) external;
    /// @notice Proposes the clients that all of `members` attested. Anybody.
    function propose(uint64 round, uint32 members) external;
    /// @notice Fixes the best proposal; subtracts the clients it leaves out. Anybody.
    function settle(uint64 round, ExcludedClient[] calldata excluded) external;
    function release(uint64 round, bytes32 releaseCid) external;
    /// @notice Checks the opening of the sum and t members' signatures, and records the new model. Anybody.
    /// @param evaluation y', the aggregate's polynomial at z'.
    /// @param opening KZG proof for it.
    /// @param signers Bit j-1 set for each signing seat j.
    /// @param signatures EIP-2098 compact signatures (r, vs), by ascending seat.
    function finalize(
        uint64 round,
        RoundResult calldata result,
        uint256 evaluation,
        G1Point calldata opening,
        uint32 signers,
        bytes32[2][] calldata signatures
    ) external;

    function operator() external view returns (address);
    function parameters() external view returns (TaskParameters memory);
    function parametersHash() external view returns (bytes32);
    /// @notice The address whose code holds the verification keys after one zero byte.
    function keysPointer() external view returns (address);
    function vectorLength() external view returns (uint32);
    function round() external view returns (RoundState memory);
    function latestModel() external view returns (ModelRecord memory);
    function finalisedRounds() external view returns (uint32);
    function privacySpent() external view returns (uint64);
    function memberAt(uint8 seat) external view returns (address);
    function seatOf(address member) external view returns (uint8);
    function memberCount() external view returns (uint8);
    function roundKey(uint64 round, uint8 seat) external view returns (bytes32);
    function clientOf(address client) external view returns (uint16 weight, uint64 activeFromRound, uint64 lastSubmittedRound, uint96 bondWei);
    function clientCount() external view returns (uint16);
    function registeredWeight() external view returns (uint16);
    function attestation(uint8 seat) external view returns (uint256 bitmap);
    function recordOf(uint8 index) external view returns (bytes32);
    /// @notice The challenge of a submission by `client` in the current round.
    function challengeOf(address client, Submission calldata submission) external view returns (bytes32 challenge);
}
