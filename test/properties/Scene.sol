// SPDX-License-Identifier: GPL-3.0-or-later
// solhint-disable one-contract-per-file, interface-starts-with-i
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {Verisum} from "../../contracts/Verisum.sol";
import {ISubmissionVerifier} from "../../contracts/interfaces/ISubmissionVerifier.sol";
import {Bn254} from "../../contracts/libraries/Bn254.sol";
import {Signatures} from "../../contracts/libraries/Signatures.sol";
import {Transcript} from "../../contracts/libraries/Transcript.sol";
import {
    Attestation,
    ChunkProof,
    ClientRecord,
    ExcludedClient,
    G1Point,
    Phase,
    Submission,
    SubmissionHead,
    TaskParameters
} from "../../contracts/types/VerisumTypes.sol";

/// @notice What forge lets a test do; its own library is no package of npm.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function deal(address account, uint256 balance) external;
    function envBytes(string calldata name) external view returns (bytes memory);
    function getCode(string calldata artifact) external view returns (bytes memory);
    function mockCall(address callee, bytes calldata data, bytes calldata result) external;
    function prank(address sender) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
}

/// @notice The contract, with a way to rounds that would take many calls.
contract OpenVerisum is Verisum {
    constructor(bytes memory p, bytes memory keys, address owner) Verisum(p, keys, owner) {}

    /// @dev As if so many had submitted in the present round.
    function fill(uint16 submitted, uint16 totalWeight) external {
        (_header.submitted, _header.totalWeight) = (submitted, totalWeight);
    }

    /// @dev As if the present round had been opened after so many results, of which these digests are the last.
    function advance(uint32 model, bytes32[] calldata digests) external {
        _header.model = model;
        for (uint256 i = 0; i < digests.length; ++i)
            _setModelDigest(uint32(model + 1 + i - digests.length), digests[i]);
    }

    function domain() external view returns (bytes32) {
        return Signatures.domainOf(deployment);
    }
}

/// @notice A task with four seats, and what it takes to play its rounds.
abstract contract Scene {
    using Bn254 for G1Point;

    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant SEATS = 4;
    uint256 internal constant CLIENTS = 6;
    uint256 internal constant KEYED_ROUNDS = 40;

    OpenVerisum internal task;
    TaskParameters internal parameters;
    bytes32 internal domain;
    /// @dev Of the present round, by index.
    ClientRecord[] internal records;

    /// @dev A barrier with a client of each weight from 1 to 6.
    function deploy() internal {
        deployWith("VERISUM_PARAMETERS");
        for (uint256 i = 0; i < CLIENTS; ++i) task.registerClient(clientAt(i), uint16(i + 1));
    }

    /// @dev Nobody but the members is registered.
    function deployWith(string memory name) internal {
        bytes memory encoded = VM.envBytes(name);
        parameters = abi.decode(encoded, (TaskParameters));
        task = OpenVerisum(created(abi.encode(encoded, VM.envBytes("VERISUM_KEYS"), address(this))));
        domain = task.domain();
        VM.mockCall(task.verifier(), abi.encodeWithSelector(ISubmissionVerifier.opens.selector), abi.encode(true));
        for (uint256 seat = 1; seat <= SEATS; ++seat) task.registerMember(VM.addr(seat));
        for (uint256 seat = 1; seat <= SEATS; ++seat) keysFor(VM.addr(seat), 1, KEYED_ROUNDS);
    }

    /// @dev With `new`, each contract here would have the task's code in it, and be compiled for as long.
    function created(bytes memory arguments) private returns (address place) {
        bytes memory code = abi.encodePacked(VM.getCode("Scene.sol:OpenVerisum"), arguments);
        assembly ("memory-safe") {
            place := create(0, add(code, 0x20), mload(code))
        }
        assert(place != address(0));
    }

    function keysFor(address member, uint64 first, uint256 count) internal {
        bytes32[] memory keys = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) keys[i] = bytes32(i + 1);
        VM.prank(member);
        task.registerRoundKeys(first, keys);
    }

    function clientAt(uint256 i) internal pure returns (address) {
        return address(uint160(0x1000 + i));
    }

    function submissionFrom(uint32 base, uint256 salt) internal view returns (Submission memory submission) {
        G1Point memory commitment = G1Point(0, 0);
        commitment.addScaled(1, 2, (uint256(keccak256(abi.encode(salt))) % 1e30) + 1);
        submission.base = base;
        submission.commitment = commitment;
        submission.sharesCid = bytes32(salt);
        submission.shareHashes = new bytes32[](SEATS);
        submission.shareHashes[0] = keccak256(abi.encode(salt));
        submission.chunks = new ChunkProof[](1);
        submission.shareEvaluations = new uint256[](parameters.threshold - 1);
    }

    function recordOf(
        address client,
        uint16 weight,
        Submission memory submission
    ) internal pure returns (ClientRecord memory) {
        bytes32 sharesDigest = keccak256(abi.encodePacked(submission.shareHashes));
        return ClientRecord(client, weight, submission.commitment, sharesDigest, submission.sharesCid);
    }

    /// @dev The verifier finds the proof right if it is asked about this client and round, and the model with this
    /// digest.
    function proves(uint64 round, ClientRecord memory record, uint32 base, bytes32 baseDigest) internal {
        bytes32 wires = keccak256(abi.encode(uint256(0), uint256(0), uint256(0)));
        bytes32 challenge = Transcript.challenge(
            Transcript.Submitter(task.deployment(), round, record.client, record.weight, baseDigest),
            SubmissionHead(base, record.commitment, record.sharesDigest, record.sharesCid, wires),
            parameters.threshold - 1,
            1
        );
        bytes4 selector = ISubmissionVerifier.verify.selector;
        VM.mockCall(task.verifier(), abi.encodePacked(selector, abi.encode(0x40, 0x80, 1), challenge), "");
    }

    /// @dev A client of the barrier submits on the latest model. @return Whether it was taken.
    function submits(uint256 client, uint256 salt) internal returns (bool) {
        uint32 base = task.finalisedRounds();
        uint64 round = task.round().number;
        Submission memory submission = submissionFrom(base, uint256(keccak256(abi.encode(client, salt))));
        ClientRecord memory record = recordOf(clientAt(client), uint16(client + 1), submission);
        proves(round, record, base, task.latestModel().digest);
        VM.prank(record.client);
        try task.submit(round, submission) {
            records.push(record);
            return true;
        } catch {
            return false;
        }
    }

    function compact(uint256 seat, bytes32 digest) internal pure returns (bytes32[2] memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(seat, digest);
        return [r, bytes32(uint256(s) | (uint256(v - 27) << 255))];
    }

    function statement(
        uint8 seat,
        uint64 round,
        bytes32 intake,
        uint256 good,
        uint256 refused
    ) internal view returns (Attestation memory) {
        bytes32 digest = Signatures.ofAttestation(domain, round, intake, good, refused);
        return Attestation(seat, good, refused, compact(seat, digest));
    }

    function outside(uint256 included) internal view returns (ExcludedClient[] memory excluded) {
        uint256 count;
        for (uint256 i = 0; i < records.length; ++i) if ((included >> i) & 1 == 0) ++count;
        excluded = new ExcludedClient[](count);
        for (uint256 i = records.length; i > 0; --i) {
            if ((included >> (i - 1)) & 1 == 0) excluded[--count] = ExcludedClient(uint8(i - 1), records[i - 1]);
        }
    }

    /// @dev The sum that these clients' commitments have, and their weight, from the records alone.
    function sumOver(uint256 included) internal view returns (G1Point memory sum, uint256 weight) {
        for (uint256 i = 0; i < records.length; ++i) {
            if ((included >> i) & 1 == 0) continue;
            sum.addScaled(records[i].commitment.x, records[i].commitment.y, records[i].weight);
            weight += records[i].weight;
        }
    }

    function bits(uint256 word) internal pure returns (uint256 count) {
        for (; word != 0; word >>= 1) count += word & 1;
    }

    function selectorOf(bytes memory reason) internal pure returns (bytes4 selector) {
        assembly ("memory-safe") {
            selector := mload(add(reason, 0x20))
        }
    }
}
