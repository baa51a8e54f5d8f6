// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Changes of who takes part in a task: its seats, their keys, and its clients.
/// @notice `Verisum` has these functions, and their code is in `Lists`. A change is of the
/// next round that opens and of those after it, never of one that is open; so there is no queue that could grow: an
/// account's entry says from which round on, and until which round, it takes part.
interface IListChanges {
    // ------------------------------------------------------------------ events

    /// @notice A seat is this member's from a round on; zero: it is empty from then on. `fromRound` is zero for a seat's first
    /// member.
    event MemberRegistered(uint8 indexed seat, address indexed member, uint64 fromRound);
    /// @notice A client may submit from a round on, with a weight in the sum.
    event ClientRegistered(address indexed client, uint16 weight, uint64 activeFromRound);
    /// @notice A client left or was taken off: it may submit in no round from `untilRound` on.
    event ClientLeft(address indexed client, uint64 untilRound);
    /// @notice A client lets another account take its place.
    event SuccessorNamed(address indexed client, address indexed successor);
    /// @notice An account took a client's place, with its weight, its bond and all that was counted of it. `ClientLeft` and
    /// `ClientRegistered` come with it.
    event PlaceTaken(address indexed predecessor, address indexed successor);
    /// @notice A member announced its encryption keys of consecutive rounds.
    event RoundKeysRegistered(uint8 indexed seat, uint64 indexed firstRound, bytes32[] keys);
    /// @notice An account announced where it is reached; nothing is checked but the length.
    event EndpointAnnounced(address indexed account, string endpoint);
    /// @notice A client that left took its bond back.
    event BondWithdrawn(address indexed client, uint96 amountWei);

    // ------------------------------------------------------------------ errors

    /// @dev The contract of the lists has none of its own: `Verisum` is to be called.
    error VerisumNotDelegated();
    /// @dev The caller is not the operator; of `replaceMember`, not the seat's member either.
    error VerisumNotOperator(address caller);
    error VerisumNotMember(address caller);
    /// @param activeFromRound Zero if the account is not registered; otherwise the first round it may submit in.
    /// @param untilRound The first round it may no longer submit in; zero if it stays.
    error VerisumNotActiveClient(address client, uint64 activeFromRound, uint64 untilRound);
    /// @dev Neither the client itself nor the operator, and the client was refused fewer than `maxRefusals` times and has
    /// rounds left.
    error VerisumMayNotRemove(address caller, address client, uint8 refusals);
    /// @dev Refused at `maxRefusals` settlements; 255: the operator took it off a task that everybody may join.
    error VerisumBarred(address client, uint8 refusals);
    /// @dev As many settlements as `maxRoundsPerClient` count it.
    error VerisumRoundsUsedUp(address client, uint16 includedRounds);
    /// @dev Another account took this one's place, with what was counted of it.
    error VerisumMovedOn(address client, address successor);
    /// @dev The client named another successor, or none.
    error VerisumNotSuccessor(address caller, address predecessor);
    /// @dev The client may still submit in the open round, or has not begun: its place is free after its submission.
    error VerisumPlaceInUse(address client, uint64 round);
    error VerisumNoSeat(uint8 seat, uint8 seats);
    error VerisumZeroAddress();
    error VerisumAlreadyRegistered(address account);
    error VerisumCommitteeFull(uint8 seats);
    /// @param open True if the task's registration is open: by `join`, not by the operator.
    error VerisumRegistrationMode(bool open);
    /// @param maxWeight The task's largest weight of one client.
    error VerisumWeightInvalid(uint16 weight, uint16 maxWeight);
    error VerisumWeightLimit(uint256 total, uint256 limit);
    error VerisumCohortFull(uint256 limit);
    error VerisumWrongBond(uint256 sentWei, uint256 requiredWei);
    /// @dev The account left earlier and has not withdrawn its bond.
    error VerisumBondPending(uint96 bondWei);
    error VerisumNothingToWithdraw(address account);
    /// @dev The round in which the client left is open: it, or whoever had its place before, may be in it.
    error VerisumBondHeld(address account, uint64 untilRound);
    error VerisumTransferFailed(address account);
    error VerisumRoundAlreadyOpened(uint64 firstRound, uint64 current);
    error VerisumNoKeys();
    error VerisumZeroKey(uint256 index);
    error VerisumKeyExists(uint64 round, uint8 seat);
    error VerisumKeysTooFarAhead(uint256 round, uint256 limit);
    error VerisumEndpointTooLong(uint256 length, uint256 limit);

    // ------------------------------------------------------------------ changes

    /// @notice Fills the next free seat; operator only, before the first round.
    /// @dev Reverts: NotOperator, WrongPhase, ZeroAddress, AlreadyRegistered, CommitteeFull. Restarts the wait for
    /// keys.
    function registerMember(address member) external;

    /// @notice Gives a seat to another member from the next round on, or to nobody (zero); the operator, or the seat's member,
    /// who leaves or passes it to another account of its own.
    /// @dev The open round's statements, releases and signatures stay the former member's. Keys that were registered for
    /// later rounds are void. Reverts: NoSeat, NotOperator, ZeroAddress (before the first round), AlreadyRegistered.
    function replaceMember(uint8 seat, address member) external;

    /// @notice Puts a client on the allow-list; operator only.
    /// @param weight Factor of the client's update in the sum, from 1 to `maxWeight`.
    /// @dev Who comes back has what was counted of it. Reverts: NotOperator, RegistrationMode, ZeroAddress,
    /// AlreadyRegistered (also while it takes part in a round that is open), MovedOn, Barred, RoundsUsedUp,
    /// WeightInvalid, WeightLimit, CohortFull.
    function registerClient(address client, uint16 weight) external;

    /// @notice Open registration with weight 1 for exactly the bond.
    /// @dev Reverts: RegistrationMode, WrongBond, BondPending, AlreadyRegistered, MovedOn, Barred, RoundsUsedUp, WeightLimit,
    /// CohortFull.
    function join() external payable;

    /// @notice Takes a client off: the client itself, the operator, or anybody once `maxRefusals` settlements left it out as
    /// refused, or `maxRoundsPerClient` settlements count it.
    /// @dev It takes part in the open round to its end. Reverts: NotActiveClient, MayNotRemove.
    function removeClient(address client) external;

    /// @notice Lets another account take the calling client's place; zero: nobody. It stands until the next call, also
    /// when the client leaves and registers again. Reverts: NotActiveClient.
    function nameSuccessor(address successor) external;

    /// @notice Takes the place of a client that named the caller: its weight, its bond, and all that was counted of it.
    /// @dev The caller must never have been registered, or two counts became one. Reverts: NotSuccessor, NotActiveClient,
    /// PlaceInUse, AlreadyRegistered.
    function takePlace(address predecessor) external;

    /// @notice Pays the bond of a client that left to the caller, who must be that client.
    /// @dev Reverts: NothingToWithdraw (also while registered), BondHeld (until the round in which it left is
    /// closed), TransferFailed.
    function withdrawBond() external;

    /// @notice One-time X25519 keys of the calling member for consecutive rounds that have not opened, at most
    /// MAX_KEYS_AHEAD ahead. Who is to come registers keys as well.
    /// @dev Reverts: NotMember, NoKeys, RoundAlreadyOpened, KeysTooFarAhead, ZeroKey, KeyExists. A key cannot be replaced,
    /// except by the seat's next member.
    function registerRoundKeys(uint64 firstRound, bytes32[] calldata keys) external;

    /// @notice Publishes the caller's HTTP endpoint (gateway and API); nothing is checked but its length in bytes.
    function announce(string calldata endpoint) external;
}
