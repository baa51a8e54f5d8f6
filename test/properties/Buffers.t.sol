// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {IVerisum} from "../../contracts/interfaces/IVerisum.sol";
import {Protocol} from "../../contracts/generated/Protocol.sol";
import {TaskLayout} from "../../contracts/libraries/TaskLayout.sol";
import {ClientRecord, Phase, RoundState, Submission, TaskParameters} from "../../contracts/types/VerisumTypes.sol";
import {Scene} from "./Scene.sol";

/// @notice Properties of one call of a task with buffers, for any arguments.
contract BufferProperties is Scene {
    uint16 private constant WEIGHT = 127;

    function setUp() public {
        VM.warp(1_000_000);
        deployWith("VERISUM_BUFFER_PARAMETERS");
        for (uint256 i = 0; i < 2 * CLIENTS; ++i) task.registerClient(clientAt(i), WEIGHT);
        task.openRound();
    }

    /// @notice A submission is taken if its base is one of the last models, and is checked against that model's digest.
    function testFuzz_base(uint32 latest, uint256 back, uint256 salt) public {
        uint256 count = uint256(parameters.maxStaleness) + 1;
        if (latest < count) latest = uint32(count);
        if (latest == type(uint32).max) --latest;
        bytes32[] memory digests = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) digests[i] = keccak256(abi.encode(salt, i));
        task.advance(latest, digests);
        back = back % (count + 2);
        // One beyond the latest comes last.
        bool isUnknown = back == count + 1;
        uint32 base = isUnknown ? latest + 1 : uint32(latest - back);
        bytes4 refusal;
        if (isUnknown) refusal = IVerisum.VerisumBaseUnknown.selector;
        else if (back == count) refusal = IVerisum.VerisumBaseTooOld.selector;
        bytes32 digest = back < count ? digests[count - 1 - back] : bytes32(0);
        assert(refusalOf(0, base, digest, salt) == refusal);
    }

    /// @notice A submission is taken if it is one of 256 and its weight fits the slot; the last that is waited for ends the
    /// phase, or fixes its end.
    function testFuzz_room(uint256 submitted, uint256 totalWeight, uint256 time, uint256 salt) public {
        submitted = submitted % (Protocol.MAX_COHORT + 1);
        totalWeight = totalWeight % (Protocol.MAX_TOTAL_WEIGHT + 1);
        RoundState memory before = task.round();
        uint256 openedAt = before.deadline - parameters.collectSeconds;
        uint256 present = openedAt + (time % parameters.collectSeconds);
        VM.warp(present);
        task.fill(uint16(submitted), uint16(totalWeight));
        bool fits = submitted < Protocol.MAX_COHORT && totalWeight + WEIGHT <= Protocol.MAX_TOTAL_WEIGHT;
        bytes4 refusal = refusalOf(0, 0, parameters.genesisDigest, salt);
        assert(refusal == (fits ? bytes4(0) : IVerisum.VerisumBufferFull.selector));
        if (!fits) return;
        RoundState memory state = task.round();
        assert(state.submitted == submitted + 1 && state.totalWeight == totalWeight + WEIGHT);
        uint256 earliest = openedAt + parameters.minCollectSeconds;
        bool isReached = state.submitted >= parameters.bufferGoal;
        assert((state.phase == Phase.Attesting) == (isReached && present >= earliest));
        if (state.phase == Phase.Attesting) assert(state.deadline == present + parameters.attestSeconds);
        else assert(state.deadline == (isReached ? earliest : before.deadline));
    }

    /// @notice Parameters of a buffer are taken if docs/protocol.md, section 6.4, allows them.
    function testFuzz_parameters(
        uint16[4] memory cohort,
        uint8 maxStaleness,
        uint16 minSeparation,
        uint32[2] memory times
    ) public view {
        TaskParameters memory p = parameters;
        p.bufferGoal = uint16(cohort[0] % 280) + 1;
        p.maxWeight = (cohort[1] % 520) / ((cohort[1] % 13) + 1);
        p.maxCorrupt = cohort[2] % 40;
        p.minClients = uint16(uint256(p.minHonest) + p.maxCorrupt) + (cohort[3] % 90);
        p.maxStaleness = maxStaleness % 20;
        p.minSeparation = minSeparation % 3;
        p.collectSeconds = (times[0] % 100) + 1;
        p.minCollectSeconds = times[1] % 120;
        bool cohortHolds =
            p.maxWeight > 0 &&
                p.bufferGoal >= uint256(p.minClients) + p.maxCorrupt &&
                p.bufferGoal <= 256 &&
                uint256(p.bufferGoal) * p.maxWeight <= 511;
        bool restHolds = p.maxStaleness <= 15 && p.minSeparation >= 1 && p.minCollectSeconds <= p.collectSeconds;
        try this.check(p) {
            assert(cohortHolds && restHolds);
        } catch (bytes memory reason) {
            assert(selectorOf(reason) == IVerisum.VerisumParameterInvalid.selector && !(cohortHolds && restHolds));
        }
    }

    function check(TaskParameters memory p) external view {
        TaskLayout.check(abi.encode(p), p, VM.envBytes("VERISUM_KEYS").length);
    }

    /// @dev Why a client's submission is refused, or zero. Its proof is right if it is checked against this digest.
    function refusalOf(uint256 client, uint32 base, bytes32 digest, uint256 salt) private returns (bytes4) {
        Submission memory submission = submissionFrom(base, salt);
        ClientRecord memory record = recordOf(clientAt(client), WEIGHT, submission);
        proves(1, record, base, digest);
        VM.prank(record.client);
        try task.submit(1, submission) {
            return 0;
        } catch (bytes memory reason) {
            return selectorOf(reason);
        }
    }
}
