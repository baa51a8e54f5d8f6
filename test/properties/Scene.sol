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
    ClientRecord,
    ExcludedClient,
    G1Point,
    Phase,
    TaskParameters
} from "../../contracts/types/VerisumTypes.sol";

/// @notice What forge lets a test do; its own library is no package of npm.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function envBytes(string calldata name) external view returns (bytes memory);
    function mockCall(address callee, bytes calldata data, bytes calldata result) external;
    function prank(address sender) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 timestamp) external;
}

/// @notice The contract, with a way in for submissions whose proofs nobody looks at.
contract OpenVerisum is Verisum {
    using Bn254 for G1Point;

    constructor(bytes memory p, bytes memory keys, address owner) Verisum(p, keys, owner) {}

    function take(ClientRecord memory record) external {
        uint64 number = _header.number;
        RoundHeader memory header = _collecting(uint64(number));
        if (_clients[record.client].lastSubmittedRound == number) revert VerisumAlreadySubmitted(record.client);
        _clients[record.client].lastSubmittedRound = uint40(number);
        bool isFirst = header.submitted == 0;
        G1Point memory sum = isFirst ? G1Point(0, 0) : _sum;
        sum.addScaled(record.commitment.x, record.commitment.y, record.weight);
        bytes32 hash = _recordHash(number, record);
        _records[header.submitted] = hash;
        (_sum, _roundHash) = (sum, Transcript.extendIntake(isFirst ? bytes32(0) : _roundHash, hash));
        header.submitted += 1;
        header.totalWeight += record.weight;
        if (header.submitted >= header.expected) _endAtGoal(header);
        _header = header;
    }

    function domain() external view returns (bytes32) {
        return Signatures.domainOf(deployment);
    }
}

/// @notice A task with four seats and six clients, and what it takes to play its rounds.
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

    function deploy() internal {
        bytes memory encoded = VM.envBytes("VERISUM_PARAMETERS");
        parameters = abi.decode(encoded, (TaskParameters));
        task = new OpenVerisum(encoded, VM.envBytes("VERISUM_KEYS"), address(this));
        domain = task.domain();
        VM.mockCall(task.verifier(), abi.encodeWithSelector(ISubmissionVerifier.opens.selector), abi.encode(true));
        for (uint256 seat = 1; seat <= SEATS; ++seat) task.registerMember(VM.addr(seat));
        for (uint256 i = 0; i < CLIENTS; ++i) task.registerClient(clientAt(i), uint16(i + 1));
        bytes32[] memory keys = new bytes32[](KEYED_ROUNDS);
        for (uint256 i = 0; i < KEYED_ROUNDS; ++i) keys[i] = bytes32(i + 1);
        for (uint256 seat = 1; seat <= SEATS; ++seat) {
            VM.prank(VM.addr(seat));
            task.registerRoundKeys(1, keys);
        }
    }

    function clientAt(uint256 i) internal pure returns (address) {
        return address(uint160(0x1000 + i));
    }

    function recordFor(uint256 client, uint256 salt) internal view returns (ClientRecord memory) {
        G1Point memory commitment = G1Point(0, 0);
        commitment.addScaled(1, 2, (uint256(keccak256(abi.encode(client, salt))) % 1e30) + 1);
        return
            ClientRecord(clientAt(client), uint16(client + 1), commitment, bytes32(salt), keccak256(abi.encode(salt)));
    }

    function submits(uint256 client, uint256 salt) internal {
        ClientRecord memory record = recordFor(client, salt);
        task.take(record);
        records.push(record);
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
