// SPDX-License-Identifier: GPL-3.0-or-later
// solhint-disable one-contract-per-file, interface-starts-with-i
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {Signatures} from "../../contracts/libraries/Signatures.sol";
import {Transcript} from "../../contracts/libraries/Transcript.sol";
import {Attestation, G1Point, Phase, Release, RoundResult, RoundState} from "../../contracts/types/VerisumTypes.sol";
import {Handler} from "./Handler.sol";

/// @notice Calls in any order, with what was seen before each of them.
contract RoundHandler is Handler {
    uint256 public settledRounds;
    uint256 public finalised;

    constructor() {
        VM.warp(1_000_000);
        deploy();
    }

    function open() external {
        RoundState memory before = task.round();
        try task.openRound() {
            if (isStanding(before)) broken = "a proposal that stood was lost by opening";
            delete records;
        } catch {}
    }

    function submit(uint256 client, uint256 salt) external {
        submits(client % CLIENTS, salt);
    }

    function submitAll(uint256 salt) external {
        for (uint256 client = 0; client < CLIENTS; ++client) this.submit(client, salt);
    }

    function settle(uint256 dice) external {
        RoundState memory before = task.round();
        uint256 all = (1 << before.submitted) - 1;
        Attestation[] memory statements = new Attestation[](SEATS);
        uint256 missed = dice & 1 == 0 ? 0 : 1 << ((dice >> 1) % CLIENTS);
        uint256 refused = dice & 0x100 == 0 ? 0 : missed & all;
        uint32 members = dice & 0x600 == 0 ? 15 : 7;
        for (uint8 seat = 1; seat <= SEATS; ++seat) {
            statements[seat - 1] = statement(seat, before.number, before.intake, all & ~missed, refused);
        }
        bool isFinal = missed & all == 0 || refused != 0;
        try task.settle(before.number, statements, members, isFinal ? outside(all & ~missed) : outside(all)) {
            noteSettling(before);
        } catch {}
    }

    function execute() external {
        RoundState memory before = task.round();
        try task.settle(before.number, new Attestation[](0), 0, outside(before.included)) {
            if (task.round().included != before.included) broken = "another set was executed than stood";
            noteSettling(before);
        } catch {
            if (isStanding(before) && block.timestamp >= before.deadline) broken = "what stands cannot be executed";
        }
    }

    function finalize(uint256 dice) external {
        RoundState memory before = task.round();
        RoundResult memory result = RoundResult(bytes32(dice), bytes32(dice), bytes32(dice), bytes32(dice));
        Release[] memory releases = new Release[](2);
        bytes32[2][] memory signatures = new bytes32[2][](2);
        for (uint8 seat = 1; seat <= 2; ++seat) {
            bytes32 digest = Signatures.ofRelease(domain, before.number, before.settlement, bytes32(dice));
            releases[seat - 1] = Release(seat, bytes32(dice), compact(seat, digest));
            signatures[seat - 1] = compact(seat, this.resultDigest(before.number, before.settlement, result));
        }
        try task.finalize(before.number, result, 0, G1Point(0, 0), releases, 3, signatures) {
            ++finalised;
            if (before.phase != Phase.Aggregating) broken = "a result without a settlement";
            if (task.round().number != before.number) delete records;
        } catch {
            if (before.phase == Phase.Aggregating) broken = "a result was refused";
        }
    }

    function resultDigest(
        uint64 round,
        bytes32 settlement,
        RoundResult calldata result
    ) external view returns (bytes32) {
        return Signatures.ofResult(domain, round, settlement, result);
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + (time % 700));
    }

    function leaves(uint256 client) external {
        VM.prank(clientAt(client % CLIENTS));
        try task.removeClient(clientAt(client % CLIENTS)) {} catch {}
    }

    function joins(uint256 client) external {
        client = client % CLIENTS;
        try task.registerClient(clientAt(client), uint16(client + 1)) {} catch {}
    }

    // ------------------------------------------------------------------ what must hold

    function sumIsThatOfTheRecords() external view returns (bool) {
        RoundState memory state = task.round();
        if (state.phase == Phase.Idle || state.phase == Phase.Aborted) return true;
        bool isSettled = state.phase == Phase.Aggregating || state.phase == Phase.Finalised;
        (G1Point memory sum, uint256 weight) = sumOver(isSettled ? state.included : type(uint256).max);
        return state.sum.x == sum.x && state.sum.y == sum.y && state.totalWeight == weight;
    }

    function hashIsThatOfTheRecords() external view returns (bool) {
        RoundState memory state = task.round();
        bytes32 intake;
        for (uint256 i = 0; i < records.length; ++i) {
            intake = keccak256(abi.encode(intake, keccak256(abi.encode(state.number, records[i]))));
        }
        if (state.phase == Phase.Collecting || state.phase == Phase.Attesting) return state.intake == intake;
        if (state.phase == Phase.Idle || state.phase == Phase.Aborted) return state.settlement == 0;
        return
            state.settlement ==
            Transcript.settlement(state.number, intake, state.included, state.totalWeight, state.sum);
    }

    function setIsAdmissible() external view returns (bool) {
        RoundState memory state = task.round();
        if (state.proposedMembers == 0) return state.phase != Phase.Aggregating && state.phase != Phase.Finalised;
        uint256 least = uint256(state.submitted) - parameters.maxCorrupt;
        uint256 clients = bits(state.included);
        bool isWithin = state.included >> state.submitted == 0 && uint256(state.proposedMembers) >> SEATS == 0;
        return
            isWithin &&
            clients >= least &&
            clients >= parameters.minClients &&
            bits(state.proposedMembers) >= parameters.quorum;
    }

    function ledgerIsRight() external view returns (bool) {
        uint256 spent = task.privacySpent();
        return
            spent == settledRounds * parameters.privacyCostPerRound &&
            spent <= parameters.privacyBudget &&
            task.finalisedRounds() == finalised &&
            finalised <= settledRounds;
    }

    function noteSettling(RoundState memory before) private {
        RoundState memory state = task.round();
        if (isStanding(before) && bits(state.included) < bits(before.included)) broken = "a smaller set won";
        if (state.phase == Phase.Aggregating) ++settledRounds;
    }
}

/// @notice What holds after any sequence of calls.
contract RoundInvariants {
    RoundHandler private handler;

    function setUp() public {
        handler = new RoundHandler();
    }

    /// @dev Forge asks for it: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_sum() public view {
        assert(handler.sumIsThatOfTheRecords());
    }

    function invariant_hash() public view {
        assert(handler.hashIsThatOfTheRecords());
    }

    function invariant_set() public view {
        assert(handler.setIsAdmissible());
    }

    function invariant_ledger() public view {
        assert(handler.ledgerIsRight());
    }

    function invariant_transitions() public view {
        assert(bytes(handler.broken()).length == 0);
    }
}
