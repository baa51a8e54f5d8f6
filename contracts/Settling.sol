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

    uint16 private immutable _maxCorrupt;
    uint32 private immutable _aggregateSeconds;
    uint8 private immutable _maxRefusals;

    uint256 internal _included;
    /// @dev Clients that statements of this round refused for good; valid while a proposal stands.
    uint256 private _refused;

    constructor(TaskParameters memory p) {
        _maxCorrupt = p.maxCorrupt;
        _aggregateSeconds = p.aggregateSeconds;
        _maxRefusals = p.maxRefusals;
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
            return _settle(header, ledger, intake, _included, _refused, excluded);
        }
        (uint256 included, uint256 refused) = _count(header, intake, statements, members);
        uint256 clients = _countBits(included);
        uint256 required = _smallestInclusion(header.submitted);
        if (clients < required) revert VerisumTooFewIncluded(clients, required);
        // Whoever is left out was refused by so many that no quorum could include it: nothing better can come.
        bool isFinal = _allOf(header.submitted) & ~included & ~refused == 0;
        _requireBetter(ledger.proposedMembers, clients, isFinal ? type(uint256).max : _countBits(members));
        // Whom an earlier call's statements refused stays refused: a later poster cannot leave them out.
        if (_maxRefusals != 0 && ledger.proposedMembers != 0) refused |= _refused;
        ledger.proposedMembers = members;
        _included = included;
        if (isFinal) return _settle(header, ledger, intake, included, refused, excluded);
        if (excluded.length != 0) revert VerisumNotExcluded(excluded[0].index);
        if (_maxRefusals != 0) _refused = refused;
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
            if (!Signatures.isBy(_memberIn(header.number, seat), digest, statement.signature)) {
                revert VerisumAttestationInvalid(seat);
            }
            attested |= _seatBit(seat);
            if (members & _seatBit(seat) != 0) included &= statement.good;
            refused |= Tally.add(refusals, statement.refused);
        }
        if (members & ~attested != 0) revert VerisumNotAttested(members, attested);
        uint256 memberBits = _countBits(members);
        if (memberBits < _quorum) revert VerisumNoQuorum(memberBits, _quorum);
    }

    /// @dev Subtracts the clients that the settlement leaves out, counts who was refused, and charges the ledger.
    function _settle(
        RoundHeader memory header,
        TaskLedger memory ledger,
        bytes32 intake,
        uint256 included,
        uint256 refused,
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
            if (_maxRefusals != 0 && (refused >> index) & 1 != 0) _countRefusal(record.client);
        }
        if (missing != 0) revert VerisumExcludedMissing(missing);

        if (excluded.length != 0) _sum = sum;
        if (_maxRoundsPerClient != 0) _settledSets[header.number] = included;
        ledger.privacySpent += _privacyCostPerRound;
        _ledger = ledger;
        bytes32 settlement = Transcript.settlement(header.number, intake, included, header.totalWeight, sum);
        _roundHash = settlement;
        _enter(header, Phase.Aggregating, _aggregateSeconds);
        _header = header;
        emit Settled(header.number, settlement, intake, included, ledger.proposedMembers, header.totalWeight, sum);
    }

    /// @dev Whoever took the client's place since it submitted has its counts.
    function _countRefusal(address account) private {
        Client storage client = _clients[account];
        if (client.moved) client = _clients[_successorOf[account]];
        if (client.refusals != type(uint8).max) ++client.refusals;
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
