// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {IVerisum} from "../../contracts/interfaces/IVerisum.sol";
import {Tally} from "../../contracts/libraries/Tally.sol";
import {Transcript} from "../../contracts/libraries/Transcript.sol";
import {Attestation, ExcludedClient, G1Point, Phase, RoundState} from "../../contracts/types/VerisumTypes.sol";
import {Scene} from "./Scene.sol";

/// @notice Properties of one call, for any arguments.
contract RoundProperties is Scene {
    using Tally for uint256[6];

    uint256 private constant ALL = 0x3f;

    struct Expected {
        bytes4 refusal;
        uint256 included;
        uint256 members;
        bool isFinal;
    }

    function setUp() public {
        VM.warp(1_000_000);
        deploy();
        task.openRound();
        for (uint256 i = 0; i < CLIENTS; ++i) assert(submits(i, i));
    }

    /// @notice Counting in planes is counting.
    function testFuzz_tally(uint256[32] memory bitmaps, uint256 count, uint256 goal) public pure {
        count = count % 33;
        goal = (goal % 32) + 1;
        uint256[6] memory planes = Tally.start(goal);
        uint256 reached;
        for (uint256 i = 0; i < count; ++i) reached |= planes.add(bitmaps[i]);
        for (uint256 bit = 0; bit < 256; ++bit) {
            uint256 seen;
            for (uint256 i = 0; i < count; ++i) seen += (bitmaps[i] >> bit) & 1;
            assert((reached >> bit) & 1 == (seen >= goal ? 1 : 0));
        }
    }

    /// @notice Two calls with any bitmaps settle, propose or are refused as the document says.
    function testFuzz_settle(uint256 seed) public {
        uint256 standing;
        uint256 standingMembers;
        for (uint256 call = 0; call < 2; ++call) {
            uint256 dice = uint256(keccak256(abi.encode(seed, call)));
            (Attestation[] memory statements, uint32 members) = drawn(dice);
            Expected memory expected = expectation(statements, members, standing, standingMembers);
            ExcludedClient[] memory excluded;
            if (expected.refusal == 0 && expected.isFinal) excluded = outside(expected.included);
            try task.settle(1, statements, members, excluded) {
                assert(expected.refusal == 0);
            } catch (bytes memory reason) {
                assert(selectorOf(reason) == expected.refusal);
                continue;
            }
            RoundState memory state = task.round();
            assert(state.included == expected.included && state.proposedMembers == expected.members);
            assert((state.phase == Phase.Aggregating) == expected.isFinal);
            if (expected.isFinal) return isSettled(state, expected.included);
            (standing, standingMembers) = (expected.included, expected.members);
        }
    }

    /// @notice A statement with one thing changed is none.
    function testFuzz_statement(uint256 what, uint256 by) public {
        bytes32 intake = task.round().intake;
        Attestation[] memory statements = new Attestation[](3);
        for (uint8 seat = 1; seat <= 3; ++seat) statements[seat - 1] = statement(seat, 1, intake, ALL, 0);
        if (by == 0) by = 1;
        Attestation memory one = statements[2];
        what = what % 6;
        if (what == 0) one.good = ALL & ~(1 << (by % CLIENTS));
        if (what == 1) (one.good, one.refused) = (ALL & ~(1 << (by % CLIENTS)), 1 << (by % CLIENTS));
        if (what == 2) one.signature[0] = bytes32(uint256(one.signature[0]) ^ by);
        if (what == 3) one.signature[1] = bytes32(uint256(one.signature[1]) ^ by);
        if (what == 4) one.seat = 4;
        if (what == 5) statements[2] = statement(3, 1, bytes32(uint256(intake) ^ by), ALL, 0);
        uint32 members = what == 4 ? 0xb : 0x7;
        try task.settle(1, statements, members, new ExcludedClient[](0)) {
            assert(false);
        } catch (bytes memory reason) {
            assert(selectorOf(reason) == IVerisum.VerisumAttestationInvalid.selector);
        }
    }

    /// @dev Mostly three or four seats that miss nobody or one of two clients, whom some of them refuse.
    function drawn(uint256 dice) private view returns (Attestation[] memory statements, uint32 members) {
        bytes32 intake = task.round().intake;
        uint256 count = dice & 7 == 0 ? 3 : 4;
        members = uint32((dice >> 3) & 7 == 0 ? (dice >> 6) & 15 : ((dice >> 6) & 1 == 0 ? 15 : 7));
        statements = new Attestation[](count);
        for (uint8 seat = 1; seat <= count; ++seat) {
            uint256 own = dice >> (16 * seat);
            uint256 missed = own & 3 == 0 ? 0 : (own & 4 == 0 ? 2 : (own & 8 == 0 ? 4 : 6));
            uint256 refused = own & 16 == 0 ? missed : 0;
            uint256 good = ALL & ~missed;
            if ((own >> 5) & 63 == 0) refused |= 1;
            if ((own >> 11) & 31 == 0) good |= 1 << 6;
            statements[seat - 1] = statement(seat, 1, intake, good, refused);
        }
    }

    /// @dev The rules of docs/protocol.md, section 6, one after the other.
    function expectation(
        Attestation[] memory statements,
        uint256 members,
        uint256 standing,
        uint256 standingMembers
    ) private view returns (Expected memory expected) {
        expected.included = ALL;
        expected.members = members;
        for (uint256 i = 0; i < statements.length; ++i) {
            Attestation memory one = statements[i];
            if ((one.good | one.refused) & ~ALL != 0) return refusal(IVerisum.VerisumUnknownClients.selector);
            if (one.good & one.refused != 0) return refusal(IVerisum.VerisumContradiction.selector);
            if ((members >> i) & 1 != 0) expected.included &= one.good;
        }
        if (members >> statements.length != 0) return refusal(IVerisum.VerisumNotAttested.selector);
        if (bits(members) < parameters.quorum) return refusal(IVerisum.VerisumNoQuorum.selector);
        uint256 clients = bits(expected.included);
        uint256 least = CLIENTS - parameters.maxCorrupt;
        if (clients < (least > parameters.minClients ? least : parameters.minClients)) {
            return refusal(IVerisum.VerisumTooFewIncluded.selector);
        }
        expected.isFinal = true;
        for (uint256 client = 0; client < CLIENTS; ++client) {
            if ((expected.included >> client) & 1 != 0) continue;
            uint256 refusals;
            for (uint256 i = 0; i < statements.length; ++i) refusals += (statements[i].refused >> client) & 1;
            if (refusals + parameters.quorum < SEATS + 1) expected.isFinal = false;
        }
        if (standing == 0) return expected;
        bool isBetter =
            clients > bits(standing) ||
                (clients == bits(standing) && (expected.isFinal || bits(members) > bits(standingMembers)));
        if (!isBetter) return refusal(IVerisum.VerisumProposalNotBetter.selector);
    }

    function refusal(bytes4 selector) private pure returns (Expected memory expected) {
        expected.refusal = selector;
    }

    function isSettled(RoundState memory state, uint256 included) private view {
        (G1Point memory sum, uint256 weight) = sumOver(included);
        assert(state.sum.x == sum.x && state.sum.y == sum.y && state.totalWeight == weight);
        assert(task.privacySpent() == parameters.privacyCostPerRound);
        bytes32 intake;
        for (uint256 i = 0; i < records.length; ++i) {
            intake = keccak256(abi.encode(intake, keccak256(abi.encode(uint64(1), records[i]))));
        }
        assert(state.settlement == Transcript.settlement(1, intake, included, weight, sum));
    }
}
