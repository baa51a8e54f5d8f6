// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {Attestation, G1Point, Phase, RoundState} from "../../contracts/types/VerisumTypes.sol";
import {BufferScene} from "./BufferScene.sol";

/// @notice Calls of a task with buffers in any order.
contract BufferHandler is BufferScene {
    modifier noted() {
        _;
        noteOpening();
    }

    constructor(string memory name) {
        start(name);
    }

    function open() external noted {
        bool stands = isStanding(task.round());
        try task.openRound() {
            if (stands) broken = "a proposal that stood was lost by opening";
        } catch {}
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + (time % 400));
    }

    function submit(uint256 client, uint256 back, uint256 salt) external {
        back = back % 5;
        uint256 base = back > models.length ? 0 : models.length - back;
        submitAs(clientAt(client % ACCOUNTS), uint32(base), salt);
    }

    /// @dev As many as the round waits for, on the latest model.
    function submitGoal(uint256 first, uint256 salt) external {
        for (uint256 i = 0; i < parameters.bufferGoal; ++i) {
            uint256 client = ((first % ACCOUNTS) + i) % ACCOUNTS;
            submitAs(clientAt(client), uint32(models.length - 1), uint256(keccak256(abi.encode(salt, i))));
        }
    }

    function settle(uint256 missed, uint256 refusing) external {
        RoundState memory before = task.round();
        if (before.phase != Phase.Attesting) return;
        missed = missed & 1 == 0 ? 0 : 1 << ((missed >> 1) % before.submitted);
        refusing = refusing % 4;
        (Attestation[] memory list, uint32 members) = statements(before, missed, refusing);
        uint256 refused = refusing >= SEATS - parameters.quorum + 1 ? missed : 0;
        uint256 all = (1 << before.submitted) - 1;
        bool isFinal = missed & ~refused == 0;
        try task.settle(before.number, list, members, outside(isFinal ? all & ~missed : all)) {
            // What an earlier call's statements refused stays refused while its proposal stood.
            refusedForGood = isStanding(before) ? refusedForGood | refused : refused;
            RoundState memory state = task.round();
            if ((state.phase == Phase.Aggregating) != isFinal) broken = "a settlement took effect too early or late";
            if (isStanding(before) && bits(state.included) < bits(before.included)) broken = "a smaller set won";
            countSettled(state);
        } catch {}
    }

    function execute() external {
        RoundState memory before = task.round();
        try task.settle(before.number, new Attestation[](0), 0, outside(before.included)) {
            if (task.round().included != before.included) broken = "another set was executed than stood";
            countSettled(task.round());
        } catch {
            if (isStanding(before) && block.timestamp >= before.deadline) broken = "what stands cannot be executed";
        }
    }

    function finalize(uint256 dice) external noted {
        RoundState memory before = task.round();
        if (before.phase == Phase.Aggregating) finalizeWith(before, dice);
    }

    // ------------------------------------------------------------------ lists

    function register(uint256 client, uint256 dice) external {
        address account = clientAt(client % ACCOUNTS);
        if (accounts[account].isListed || !accounts[account].mayJoin) return;
        bool isActive = isOpen() && isIn[account];
        bool isHeld = parameters.openRegistration && accounts[account].isBonded;
        bool isBarred = parameters.maxRefusals != 0 && accounts[account].refusals >= parameters.maxRefusals;
        uint256 limit = parameters.maxRoundsPerClient;
        if (isActive || isHeld || isBarred || (limit != 0 && accounts[account].included >= limit)) return;
        registerAs(account, dice);
    }

    function leaves(uint256 client, bool byOperator) external {
        address account = clientAt(client % ACCOUNTS);
        if (!accounts[account].isListed) return;
        if (!byOperator) VM.prank(account);
        task.removeClient(account);
        (accounts[account].isListed, accounts[account].left) = (false, task.round().number);
        if (byOperator && parameters.openRegistration) accounts[account].mayJoin = false;
    }

    function passOn(uint256 client, uint256 to) external {
        address account = clientAt(client % ACCOUNTS);
        address successor = clientAt(to % ACCOUNTS);
        if (!accounts[account].isListed) return;
        VM.prank(account);
        task.nameSuccessor(successor);
        VM.prank(successor);
        try task.takePlace(account) {
            if (accounts[successor].weight != 0) broken = "an account with a past took a place";
            accounts[successor] = accounts[account];
            (accounts[account].isListed, accounts[account].mayJoin, accounts[account].isBonded) = (false, false, false);
            placeOf[account] = successor;
        } catch {}
    }

    function withdraw(uint256 client) external {
        address account = clientAt(client % ACCOUNTS);
        uint256 before = account.balance;
        bool isHeld = isOpen() && accounts[account].left == task.round().number;
        VM.prank(account);
        try task.withdrawBond() {
            if (!accounts[account].isBonded || accounts[account].isListed || isHeld)
                broken = "a bond that is held left";
            if (account.balance != before + parameters.bondWei) broken = "another bond came back than was paid";
            accounts[account].isBonded = false;
            bonds -= parameters.bondWei;
        } catch {
            if (accounts[account].isBonded && !accounts[account].isListed && !isHeld) broken = "a free bond is held";
        }
    }

    /// @dev Somebody new sits from the next round on, mostly with keys, or nobody.
    function replace(uint256 seat, uint256 dice) external {
        seat = (seat % SEATS) + 1;
        if (dice % 5 == 1 && seen != 0 && nextKeys[seat] != 0) {
            nextKeys[seat] = 0;
            return task.replaceMember(uint8(seat), address(0));
        }
        sits(seat);
        if (dice % 5 != 0) keysFor(VM.addr(nextKeys[seat]), seen + 1, KEYED_ROUNDS);
    }

    // ------------------------------------------------------------------ what must hold

    /// @notice From any state an honest quorum ends the round that is open, and the next one with a result.
    function goesOn() external {
        settlesAndFinalizes();
        if (isOpen()) {
            passes();
            if (task.round().phase == Phase.Attesting) passes();
            task.abort(task.round().number);
        }
        uint64 next = task.round().number + 1;
        address[] memory fresh = prepares(next);
        task.openRound();
        noteOpening();
        for (uint256 i = 0; i < fresh.length; ++i) {
            isIn[fresh[i]] = true;
            submitAs(fresh[i], uint32(models.length - 1), i);
        }
        if (task.round().phase == Phase.Collecting) passes();
        settlesAndFinalizes();
        assert(task.latestModel().round == next && bytes(broken).length == 0);
    }

    /// @notice Everybody may leave, and then nothing is left in the contract.
    function everybodyLeaves() external returns (uint256 left) {
        for (uint256 i = 0; i < ACCOUNTS + newcomers; ++i) {
            address account = anybody(i);
            if (!accounts[account].isListed) continue;
            VM.prank(account);
            task.removeClient(account);
        }
        while (isOpen()) {
            passes();
            RoundState memory state = task.round();
            if (isStanding(state)) task.settle(state.number, new Attestation[](0), 0, outside(state.included));
            else if (block.timestamp >= state.deadline) task.abort(state.number);
        }
        for (uint256 i = 0; i < ACCOUNTS + newcomers; ++i) {
            if (!accounts[anybody(i)].isBonded) continue;
            VM.prank(anybody(i));
            task.withdrawBond();
        }
        return address(task).balance;
    }

    function etherIsThatOfTheBonds() external view returns (bool) {
        return address(task).balance == bonds;
    }

    /// @notice The sum is that of the submissions which count, all of this intake, and no more weight than a slot holds.
    function roundIsRight() external view returns (bool) {
        RoundState memory state = task.round();
        if (state.phase == Phase.Idle || state.phase == Phase.Aborted) return true;
        if (state.submitted != records.length || state.submitted > 256) return false;
        bool isSettled = state.phase == Phase.Aggregating || state.phase == Phase.Finalised;
        (G1Point memory sum, uint256 weight) = sumOver(isSettled ? state.included : type(uint256).max);
        bool sumIsRight = state.sum.x == sum.x && state.sum.y == sum.y && state.totalWeight == weight;
        if (!sumIsRight || weight > 511) return false;
        if (!isSettled && !isStanding(state)) return true;
        uint256 clients = bits(state.included);
        uint256 least = uint256(state.submitted) > parameters.maxCorrupt ? state.submitted - parameters.maxCorrupt : 0;
        return state.included >> state.submitted == 0 && clients >= parameters.minClients && clients >= least;
    }

    /// @notice What the contract says of each account is what was counted.
    function countsAreRight() external view returns (bool) {
        if (task.latestModel().digest != models[models.length - 1]) return false;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            Account memory account = accounts[clientAt(i)];
            if (placeOf[clientAt(i)] != address(0)) continue;
            if (task.clientOf(clientAt(i)).lastSubmittedRound != account.last) return false;
            if (parameters.maxRoundsPerClient != 0 && task.clientOf(clientAt(i)).includedRounds != account.included) {
                return false;
            }
            if (account.mayJoin && task.clientOf(clientAt(i)).refusals != account.refusals) return false;
        }
        return true;
    }

    // ------------------------------------------------------------------ internals

    function anybody(uint256 i) private pure returns (address) {
        return i < ACCOUNTS ? clientAt(i) : address(uint160(0x9000 + i));
    }

    function isOpen() private view returns (bool) {
        Phase phase = task.round().phase;
        return phase == Phase.Collecting || phase == Phase.Attesting || phase == Phase.Aggregating;
    }

    /// @dev Until the deadline of the present phase.
    function passes() private {
        uint64 deadline = task.round().deadline;
        if (block.timestamp < deadline) VM.warp(deadline);
    }

    /// @dev Settles on what stands when its time is over, or on everybody, and finalises; if the phase allows it.
    function settlesAndFinalizes() private {
        RoundState memory state = task.round();
        bool isOver = block.timestamp >= state.deadline;
        if (isStanding(state) && isOver) {
            task.settle(state.number, new Attestation[](0), 0, outside(state.included));
        } else if (state.phase == Phase.Attesting && !isOver) {
            (Attestation[] memory list, uint32 members) = statements(state, 0, 0);
            task.settle(state.number, list, members, outside(type(uint256).max));
        }
        state = task.round();
        if (state.phase == Phase.Aggregating) finalizeWith(state, 0);
        noteOpening();
    }

    /// @dev Whatever the next round lacks is made good: seats, keys, and clients that may submit.
    function prepares(uint64 next) private returns (address[] memory fresh) {
        for (uint256 seat = 1; seat <= SEATS; ++seat) {
            if (nextKeys[seat] == 0) sits(seat);
            if (task.roundKey(next, uint8(seat)) == 0) keysFor(VM.addr(nextKeys[seat]), next, 1);
        }
        uint256 goal = uint256(parameters.bufferGoal) * parameters.minSeparation;
        uint256 count = parameters.bufferGoal;
        if (task.clientCount() + count < goal) count = goal - task.clientCount();
        fresh = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            fresh[i] = anybody(ACCOUNTS + newcomers++);
            registerAs(fresh[i], 0);
        }
    }

    function sits(uint256 seat) private {
        nextKeys[seat] = ++keyCount;
        task.replaceMember(uint8(seat), VM.addr(keyCount));
    }
}
