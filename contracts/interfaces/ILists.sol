// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Who takes part in a task: its seats, their keys, and its clients.
/// @notice `Verisum` has all of these functions; the changes among them run in `Lists`, on its storage.
interface ILists {
    // ------------------------------------------------------------------ events

    /// @notice The operator gave a seat to a member.
    event MemberRegistered(uint8 indexed seat, address indexed member);
    /// @notice A client may submit from a round on, with a weight in the sum.
    event ClientRegistered(address indexed client, uint16 weight, uint64 activeFromRound);
    /// @notice A client left; its bond can be withdrawn.
    event ClientLeft(address indexed client);
    /// @notice A member announced its encryption keys of consecutive rounds.
    event RoundKeysRegistered(uint8 indexed seat, uint64 indexed firstRound, bytes32[] keys);
    /// @notice An account announced where it is reached; nothing is checked but the length.
    event EndpointAnnounced(address indexed account, string endpoint);
    /// @notice A client that left took its bond back.
    event BondWithdrawn(address indexed client, uint96 amountWei);

    // ------------------------------------------------------------------ errors

    /// @dev The contract of the lists has none of its own: `Verisum` is to be called.
    error VerisumNotDelegated();
    error VerisumNotOperator(address caller);
    error VerisumNotMember(address caller);
    /// @param activeFromRound Zero if the caller is not registered; otherwise the first round it may submit in.
    error VerisumNotActiveClient(address caller, uint64 activeFromRound);
    error VerisumZeroAddress();
    error VerisumAlreadyRegistered(address account);
    error VerisumCommitteeFull(uint8 seats);
    /// @param open True if the task's registration is open: by `join`, not by the operator.
    error VerisumRegistrationMode(bool open);
    error VerisumWeightInvalid(uint16 weight);
    error VerisumWeightLimit(uint256 total, uint256 limit);
    error VerisumCohortFull(uint256 limit);
    error VerisumWrongBond(uint256 sentWei, uint256 requiredWei);
    /// @dev The account left earlier and has not withdrawn its bond.
    error VerisumBondPending(uint96 bondWei);
    error VerisumNothingToWithdraw(address account);
    error VerisumTransferFailed(address account);
    error VerisumRoundAlreadyOpened(uint64 firstRound, uint64 current);
    error VerisumNoKeys();
    error VerisumZeroKey(uint256 index);
    error VerisumKeyExists(uint64 round, uint8 seat);
    error VerisumEndpointTooLong(uint256 length, uint256 limit);

    // ------------------------------------------------------------------ changes

    /// @notice Fills the next free seat; operator only, before the first round.
    /// @dev Reverts: NotOperator, WrongPhase, ZeroAddress, AlreadyRegistered, CommitteeFull. Restarts the wait for
    /// keys.
    function registerMember(address member) external;

    /// @notice Puts a client on the allow-list; operator only. Takes effect with the next round that opens.
    /// @param weight Factor of the client's update in the sum, at least 1; 1 if the task's weights are uniform.
    /// @dev Reverts: NotOperator, RegistrationMode, ZeroAddress, AlreadyRegistered, WeightInvalid, WeightLimit,
    /// CohortFull.
    function registerClient(address client, uint16 weight) external;

    /// @notice Open registration with weight 1 for exactly the bond. Takes effect with the next round that opens.
    /// @dev Reverts: RegistrationMode, WrongBond, BondPending, AlreadyRegistered, WeightLimit, CohortFull.
    function join() external payable;

    /// @notice The calling client leaves; possible whenever no round collects. Its bond becomes withdrawable.
    /// @dev An update that was already accepted stays in its round. Reverts: WrongPhase, NotActiveClient.
    function unregister() external;

    /// @notice Pays the bond of a client that left to the caller, who must be that client.
    /// @dev Reverts: NothingToWithdraw (also while registered), TransferFailed.
    function withdrawBond() external;

    /// @notice One-time X25519 keys of the calling member for consecutive rounds that have not opened.
    /// @dev Reverts: NotMember, NoKeys, RoundAlreadyOpened, ZeroKey, KeyExists. A key cannot be replaced.
    function registerRoundKeys(uint64 firstRound, bytes32[] calldata keys) external;

    /// @notice Publishes the caller's HTTP endpoint (gateway and API); nothing is checked but its length in bytes.
    function announce(string calldata endpoint) external;

    // ------------------------------------------------------------------ state

    /// @notice Who fills the seats and the allow-list.
    function operator() external view returns (address);
    /// @notice Zero for an empty seat.
    function memberAt(uint8 seat) external view returns (address);
    /// @notice Zero if the account has no seat.
    function seatOf(address member) external view returns (uint8);
    /// @notice Seats that are filled.
    function memberCount() external view returns (uint8);
    /// @notice Zero if the seat has no key for the round.
    function roundKey(uint64 round, uint8 seat) external view returns (bytes32);
    /// @notice The weight is zero if the account is not registered; its bond may then still be withdrawable.
    function clientOf(
        address client
    ) external view returns (uint16 weight, uint64 activeFromRound, uint64 lastSubmittedRound, uint96 bondWei);
    /// @notice Clients that are registered.
    function clientCount() external view returns (uint16);
    /// @notice Sum of the weights of all registered clients.
    function registeredWeight() external view returns (uint16);
}
