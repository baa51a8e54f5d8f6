// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {IListChanges} from "../../contracts/interfaces/IListChanges.sol";
import {IVerisum} from "../../contracts/interfaces/IVerisum.sol";
import {Signatures} from "../../contracts/libraries/Signatures.sol";
import {
    Attestation,
    ClientRecord,
    G1Point,
    Phase,
    Release,
    RoundResult,
    RoundState,
    Submission
} from "../../contracts/types/VerisumTypes.sol";
import {Handler} from "./Handler.sol";

/// @notice What calls of a task with buffers have done, by the rules of docs/protocol.md alone: nothing here is read from
/// the contract that it could be asked for.
abstract contract BufferScene is Handler {
    uint256 internal constant ACCOUNTS = 14;

    /// @dev Of an account and of those whose place it took.
    struct Account {
        uint16 weight;
        uint64 last;
        uint16 included;
        uint8 refusals;
        bool isListed;
        bool mayJoin;
        bool isBonded;
        /// @dev The number of the round that was the latest when it left.
        uint64 left;
    }

    mapping(address account => Account) internal accounts;
    /// @dev Listed when the present round opened.
    mapping(address account => bool) internal isIn;
    mapping(address account => address) internal placeOf;
    mapping(address account => address) internal successorOf;
    /// @dev Digests by the model's number.
    bytes32[] internal models;
    /// @dev Private keys of the seats: of the present round, and of the next.
    uint256[SEATS + 1] internal keys;
    uint256[SEATS + 1] internal nextKeys;
    uint256 internal keyCount = SEATS;
    uint256 internal refusedForGood;
    uint64 internal seen;
    uint256 internal bonds;
    uint256 internal newcomers;

    function start(string memory name) internal {
        VM.warp(1_000_000);
        deployWith(name);
        models.push(parameters.genesisDigest);
        for (uint256 seat = 1; seat <= SEATS; ++seat) nextKeys[seat] = seat;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            accounts[clientAt(i)].mayJoin = true;
            if (i < ACCOUNTS - 2) registerAs(clientAt(i), i * 37);
        }
    }

    // ------------------------------------------------------------------ calls with what they change

    function registerAs(address account, uint256 dice) internal {
        uint16 weight = uint16(dice % parameters.maxWeight) + 1;
        if (parameters.openRegistration) {
            weight = 1;
            VM.deal(account, parameters.bondWei);
            VM.prank(account);
            task.join{value: parameters.bondWei}();
            bonds += parameters.bondWei;
            accounts[account].isBonded = true;
        } else {
            task.registerClient(account, weight);
        }
        (accounts[account].weight, accounts[account].isListed) = (weight, true);
    }

    /// @dev Why the client's submission has to be refused, or zero.
    function refusalFor(address client, uint32 base, RoundState memory state) internal view returns (bytes4) {
        Account memory account = accounts[client];
        if (state.phase != Phase.Collecting) return IVerisum.VerisumWrongPhase.selector;
        if (block.timestamp >= state.deadline) return IVerisum.VerisumDeadlinePassed.selector;
        if (account.last == state.number) return IVerisum.VerisumAlreadySubmitted.selector;
        if (!isIn[client]) return IListChanges.VerisumNotActiveClient.selector;
        if (account.last != 0 && account.last + parameters.minSeparation > state.number) {
            return IVerisum.VerisumTooSoon.selector;
        }
        if (parameters.maxRoundsPerClient != 0 && account.included >= parameters.maxRoundsPerClient) {
            return IListChanges.VerisumRoundsUsedUp.selector;
        }
        if (base >= models.length) return IVerisum.VerisumBaseUnknown.selector;
        if (models.length - 1 - base > parameters.maxStaleness) return IVerisum.VerisumBaseTooOld.selector;
        if (state.totalWeight + account.weight > 511) return IVerisum.VerisumBufferFull.selector;
        return 0;
    }

    function submitAs(address client, uint32 base, uint256 salt) internal {
        RoundState memory before = task.round();
        bytes4 refusal = refusalFor(client, base, before);
        Submission memory submission = submissionFrom(base, salt);
        ClientRecord memory record = recordOf(client, accounts[client].weight, submission);
        if (base < models.length) proves(before.number, record, base, models[base]);
        VM.prank(client);
        try task.submit(before.number, submission) {
            if (refusal != 0) broken = "a submission was taken that breaks a rule";
            records.push(record);
            accounts[client].last = before.number;
        } catch (bytes memory reason) {
            if (selectorOf(reason) != refusal) broken = "a submission was refused for another reason than it has";
        }
    }

    /// @dev Every seat with a key finds all but `missed` good, and those of `refusing` seats refuse these.
    function statements(
        RoundState memory state,
        uint256 missed,
        uint256 refusing
    ) internal view returns (Attestation[] memory list, uint32 members) {
        list = new Attestation[](bits(state.keyMask));
        uint256 count;
        uint256 all = (1 << state.submitted) - 1;
        for (uint8 seat = 1; seat <= SEATS; ++seat) {
            if ((state.keyMask >> (seat - 1)) & 1 == 0) continue;
            uint256 refused = count < refusing ? missed & all : 0;
            bytes32 digest = Signatures.ofAttestation(domain, state.number, state.intake, all & ~missed, refused);
            list[count++] = Attestation(seat, all & ~missed, refused, compact(keys[seat], digest));
        }
        members = state.keyMask;
    }

    function finalizeWith(RoundState memory state, uint256 dice) internal {
        RoundResult memory result = RoundResult(
            bytes32(dice),
            bytes32(dice),
            bytes32(dice),
            keccak256(abi.encode(dice))
        );
        bytes32 resultDigest = this.digestOf(state.number, state.settlement, result);
        Release[] memory releases = new Release[](parameters.threshold);
        bytes32[2][] memory signatures = new bytes32[2][](parameters.threshold);
        uint32 signers;
        uint256 count;
        for (uint8 seat = 1; count < releases.length; ++seat) {
            if ((state.keyMask >> (seat - 1)) & 1 == 0) continue;
            bytes32 digest = Signatures.ofRelease(domain, state.number, state.settlement, bytes32(dice));
            releases[count] = Release(seat, bytes32(dice), compact(keys[seat], digest));
            signatures[count++] = compact(keys[seat], resultDigest);
            signers |= uint32(1 << (seat - 1));
        }
        task.finalize(state.number, result, 0, G1Point(0, 0), releases, signers, signatures);
        models.push(result.modelDigest);
    }

    function digestOf(uint64 round, bytes32 settlement, RoundResult calldata result) external view returns (bytes32) {
        return Signatures.ofResult(domain, round, settlement, result);
    }

    /// @dev Whose place it is by now.
    function holderOf(address account) internal view returns (address) {
        while (placeOf[account] != address(0)) account = placeOf[account];
        return account;
    }

    /// @dev Counts whom the settlement includes, and whom so many refused.
    function countSettled(RoundState memory state) internal {
        if (state.phase != Phase.Aggregating) return;
        for (uint256 i = 0; i < records.length; ++i) {
            Account storage account = accounts[holderOf(records[i].client)];
            if ((state.included >> i) & 1 != 0) ++account.included;
            else if ((refusedForGood >> i) & 1 != 0) ++account.refusals;
        }
    }

    /// @dev The lists of a round are those of its opening.
    function noteOpening() internal {
        uint64 number = task.round().number;
        if (number == seen) return;
        if (number != seen + 1) broken = "a round was passed over";
        seen = number;
        delete records;
        keys = nextKeys;
        for (uint256 i = 0; i < ACCOUNTS; ++i) isIn[clientAt(i)] = accounts[clientAt(i)].isListed;
    }
}
