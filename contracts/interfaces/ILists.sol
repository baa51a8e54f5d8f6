// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IListChanges} from "./IListChanges.sol";
import {ClientState} from "../types/VerisumTypes.sol";

/// @title Who takes part in a task: its seats, their keys, and its clients.
/// @notice What `Verisum` says of them, and how they change.
interface ILists is IListChanges {
    /// @notice Who fills the seats and the allow-list, and changes them for later rounds.
    function operator() external view returns (address);
    /// @notice The member of a seat in the current round; zero for an empty seat.
    function memberAt(uint8 seat) external view returns (address);
    /// @notice Seats that have had a member.
    function memberCount() external view returns (uint8);
    /// @notice Events that changed a list: MemberRegistered, ClientRegistered, ClientLeft.
    function listChanges() external view returns (uint32);
    /// @notice Zero if the seat has no key for the round. Seats count from 1.
    function roundKey(uint64 round, uint8 seat) external view returns (bytes32);
    /// @notice What the lists say of an account.
    function clientOf(address client) external view returns (ClientState memory);
    /// @notice Clients of the next round.
    function clientCount() external view returns (uint16);
}
