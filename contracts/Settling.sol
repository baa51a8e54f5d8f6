// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RoundBase} from "./RoundBase.sol";
import {Protocol} from "./generated/Protocol.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Tally} from "./libraries/Tally.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {Attestation, ClientRecord, ExcludedClient, G1Point, Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title How a round settles
/// @notice Takes members' statements, keeps the best proposal, and fixes whom a round counts (docs/protocol.md,
/// section 6).
abstract contract Settling is RoundBase {
    using Bn254 for G1Point;

    uint8 internal immutable _quorum;
    uint16 private immutable _maxCorrupt;
    uint32 private immutable _aggregateSeconds;
    uint64 internal immutable _privacyCostPerRound;

    uint256 internal _included;

    constructor(TaskParameters memory p) {
        _quorum = p.quorum;
        _maxCorrupt = p.maxCorrupt;
        _aggregateSeconds = p.aggregateSeconds;
        _privacyCostPerRound = p.privacyCostPerRound;
    }

    /// @inheritdoc IVerisum
    function settle(
        uint64 round_,
        Attestation[] calldata statements,
        uint32 members,
        ExcludedClient[] calldata excluded
    ) external {
        RoundHeader memory header = _headerIn(round_, Phase.Attesting);
        TaskLedger memory ledger = _ledger;
        bytes32 intake = _roundHash;
        if (block.timestamp >= header.deadline) {
            // What stands can no longer be replaced.
            if (statements.length != 0 || members != 0) revert VerisumDeadlinePassed(header.deadline, _now());
            if (ledger.proposedMembers == 0) revert VerisumNoProposal();
            return _settle(header, ledger, intake, _included, excluded);
        }
        (uint256 included, uint256 refused) = _count(header, intake, statements, members);
        uint256 clients = _countBits(included);
        uint256 required = _smallestInclusion(header.submitted);
        if (clients < required) revert VerisumTooFewIncluded(clients, required);
        // Whoever is left out was refused by so many that no quorum could include it: nothing better can come.
        bool isFinal = _allOf(header.submitted) & ~included & ~refused == 0;
        _requireBetter(ledger.proposedMembers, clients, isFinal ? type(uint256).max : _countBits(members));
        ledger.proposedMembers = members;
        if (isFinal) {
            _included = included;
            return _settle(header, ledger, intake, included, excluded);
        }
        if (excluded.length != 0) revert VerisumNotExcluded(excluded[0].index);
        _included = included;
        _ledger = ledger;
        emit Proposed(round_, members, included);
    }

    /// @dev Checks every statement. `included` is what all of `members` found good, `refused` whom so many refused that
    /// the other seats are no quorum.
    function _count(
        RoundHeader memory header,
        bytes32 intake,
        Attestation[] calldata statements,
        uint32 members
    ) private view returns (uint256 included, uint256 refused) {
        included = _allOf(header.submitted);
        uint256[6] memory refusals = Tally.start(uint256(_committeeSize) - _quorum + 1);
        bytes32 domain = Signatures.domainOf(deployment);
        uint32 attested;
        uint8 previous;
        for (uint256 i = 0; i < statements.length; ++i) {
            Attestation calldata statement = statements[i];
            uint8 seat = statement.seat;
            _requireSeat(header.keyMask, previous, seat);
            previous = seat;
            _requireBitmaps(seat, statement.good, statement.refused, header.submitted);
            bytes32 digest = Signatures.ofAttestation(domain, header.number, intake, statement.good, statement.refused);
            if (!Signatures.isBy(memberAt[seat], digest, statement.signature)) revert VerisumAttestationInvalid(seat);
            attested |= _seatBit(seat);
            if (members & _seatBit(seat) != 0) included &= statement.good;
            refused |= Tally.add(refusals, statement.refused);
        }
        if (members & ~attested != 0) revert VerisumNotAttested(members, attested);
        uint256 memberBits = _countBits(members);
        if (memberBits < _quorum) revert VerisumNoQuorum(memberBits, _quorum);
    }

    /// @dev Subtracts the clients that the settlement leaves out, and charges the ledger.
    function _settle(
        RoundHeader memory header,
        TaskLedger memory ledger,
        bytes32 intake,
        uint256 included,
        ExcludedClient[] calldata excluded
    ) private {
        uint256 missing = _allOf(header.submitted) & ~included;
        G1Point memory sum = _sum;
        for (uint256 i = 0; i < excluded.length; ++i) {
            uint8 index = excluded[i].index;
            ClientRecord calldata record = excluded[i].record;
            if (missing & (1 << index) == 0) revert VerisumNotExcluded(index);
            if (_recordHash(header.number, record) != _records[index]) revert VerisumRecordMismatch(index);
            missing ^= 1 << index;
            // An accepted commitment is never infinity and its y is below p, so the negation is (x, p - y).
            sum.addScaled(record.commitment.x, Protocol.BASE_FIELD_ORDER - record.commitment.y, record.weight);
            header.totalWeight -= record.weight;
        }
        if (missing != 0) revert VerisumExcludedMissing(missing);

        if (excluded.length != 0) _sum = sum;
        ledger.privacySpent += _privacyCostPerRound;
        _ledger = ledger;
        bytes32 settlement = Transcript.settlement(header.number, intake, included, header.totalWeight, sum);
        _roundHash = settlement;
        _enter(header, Phase.Aggregating, _aggregateSeconds);
        _header = header;
        emit Settled(header.number, settlement, intake, included, ledger.proposedMembers, header.totalWeight, sum);
    }

    /// @dev `standing` is T of the proposal that stands; zero if there is none.
    function _requireBetter(uint32 standing, uint256 clients, uint256 memberBits) private view {
        if (standing == 0) return;
        uint256 standingClients = _countBits(_included);
        uint256 standingBits = _countBits(standing);
        if (clients < standingClients || (clients == standingClients && memberBits <= standingBits)) {
            revert VerisumProposalNotBetter(standingClients, standingBits);
        }
    }

    /// @dev max(minClients, submitted - maxCorrupt).
    function _smallestInclusion(uint16 submitted) private view returns (uint256) {
        uint256 reached = uint256(_minClients) + _maxCorrupt;
        return submitted > reached ? submitted - _maxCorrupt : _minClients;
    }

    function _requireBitmaps(uint8 seat, uint256 good, uint256 refused, uint16 submitted) private pure {
        uint256 bitmap = good | refused;
        if (bitmap & ~_allOf(submitted) != 0) revert VerisumUnknownClients(seat, bitmap, submitted);
        if (good & refused != 0) revert VerisumContradiction(seat, good & refused);
    }

    /// @dev Bits 0 .. count-1; count is at most 256.
    function _allOf(uint256 count) private pure returns (uint256) {
        return count == 256 ? type(uint256).max : (1 << count) - 1;
    }
}
