"""What an endpoint says of one contract, all as of one block (§3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verisum_auditor.chain import FUNCTIONS, Answers, Deployed
from verisum_auditor.endpoint import Declined, Endpoint, parse_hex, parse_quantity
from verisum_auditor.faults import Refused
from verisum_auditor.jsontext import Json
from verisum_auditor.logs import Pages
from verisum_auditor.words import Words, keccak

Tell = Callable[[str], None]
"""Takes what is no finding, and worth knowing."""


@dataclass(frozen=True)
class Wanted:
    """What is to be audited. `block` is a number or a name such as `finalized`; `first_block` and `chain_id` may be unknown.

    `check_deployment` is false on chains whose contracts see other blocks than JSON-RPC tells (§14).
    """

    contract: bytes
    block: int | str = "finalized"
    first_block: int | None = None
    chain_id: int | None = None
    check_deployment: bool = True


@dataclass(frozen=True)
class Block:
    """A block, as the endpoint tells it."""

    number: int
    hash: bytes
    parent_hash: bytes
    prev_randao: bytes


def read_live(endpoint: Endpoint, wanted: Wanted, tell: Tell) -> Answers:
    """Reads all that an audit needs of the chain. Raises `Refused` where the endpoint does not have it, or contradicts itself."""
    chain_id = endpoint.quantity("eth_chainId")
    if wanted.chain_id not in (None, chain_id):
        raise Refused(
            "CHAIN_WRONG_NETWORK",
            f"{endpoint.name} serves chain {chain_id} and not {wanted.chain_id}: correct --rpc or --chain-id",
        )
    block = _block(endpoint, wanted.block)
    _check_contract(endpoint, wanted, chain_id, block)
    calls = {name: _call(endpoint, wanted.contract, name, block) for name in FUNCTIONS}
    pointer = Words(calls["keysPointer"], "keysPointer()").address()
    keys_code = endpoint.data("eth_getCode", f"0x{pointer.hex()}", hex(block.number))
    first = _deployed_at(endpoint, wanted, block, tell)
    pages = Pages(endpoint, wanted.contract)
    begin = wanted.first_block if wanted.first_block is not None else first
    logs = pages.backwards(block.number) if begin is None else pages.forwards(begin, block.number)
    deployed = None
    if wanted.check_deployment and first is not None:
        deployed = _deployed(endpoint, first)
    if _block(endpoint, block.number).hash != block.hash:
        raise Refused("CHAIN_REORGANISED", f"block {block.number} is another one than before: audit again")
    tell(f"chain {chain_id}, block {block.number} 0x{block.hash.hex()}, {len(logs)} events")
    return Answers(chain_id, wanted.contract, calls, keys_code, logs, deployed)


def _block(endpoint: Endpoint, which: int | str) -> Block:
    name = hex(which) if isinstance(which, int) else which
    try:
        answer = endpoint.ask("eth_getBlockByNumber", name, False)
    except Declined as fault:
        raise Refused("CHAIN_UNREACHABLE", f"block {which}: {fault}") from fault
    if answer is None:
        raise Refused("CHAIN_UNREACHABLE", f"{endpoint.name} has no block {which}; --block names another one")
    try:
        block = _read_block(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("CHAIN_UNREACHABLE", f"{endpoint.name} tells block {which} in another form: {error!r}") from error
    if isinstance(which, int) and block.number != which:
        raise Refused("CHAIN_UNREACHABLE", f"{endpoint.name} tells block {block.number} for block {which}")
    return block


def _read_block(answer: Json) -> Block:
    return Block(
        parse_quantity(answer["number"]),
        parse_hex(answer["hash"]),
        parse_hex(answer["parentHash"]),
        parse_hex(answer.get("mixHash") or f"0x{'00' * 32}"),
    )


def _check_contract(endpoint: Endpoint, wanted: Wanted, chain_id: int, block: Block) -> None:
    address = f"0x{wanted.contract.hex()}"
    try:
        code = endpoint.data("eth_getCode", address, hex(block.number))
    except Declined as fault:
        raise Refused("CHAIN_UNREACHABLE", str(fault)) from fault
    if not code:
        raise Refused(
            "CHAIN_NO_CONTRACT",
            f"chain {chain_id} has nothing at {address} as of block {block.number}: --rpc is another chain's, or the "
            "contract is younger than that block, and --block latest shows it",
        )


def _call(endpoint: Endpoint, contract: bytes, name: str, block: Block) -> bytes:
    selector = keccak(f"{name}()".encode("ascii"))[:4]
    try:
        answer = endpoint.data(
            "eth_call", {"to": f"0x{contract.hex()}", "data": f"0x{selector.hex()}"}, hex(block.number)
        )
    except Declined as fault:
        raise Refused("CONTRACT_MISMATCH", f"{name}() has no answer: is it a task's contract? {fault}") from fault
    if not answer:
        raise Refused("CONTRACT_MISMATCH", f"{name}() has an empty answer: the contract is no task's")
    return answer


def _deployed_at(endpoint: Endpoint, wanted: Wanted, latest: Block, tell: Tell) -> int | None:
    """The number of the deployment's block, by bisection (§3); None, with a word on it, where the endpoint does not tell it."""
    low = wanted.first_block or 0
    high = latest.number
    try:
        if low > 0 and _is_there(endpoint, wanted.contract, low - 1):
            tell(f"block {low} is behind the deployment, so deployment() is not compared with its block")
            return None
        while low < high:
            middle = (low + high) // 2
            if _is_there(endpoint, wanted.contract, middle):
                high = middle
            else:
                low = middle + 1
    except Declined as fault:
        tell(f"the endpoint keeps no old states, so deployment() is not compared with its block: {fault}")
        return None
    return high


def _is_there(endpoint: Endpoint, contract: bytes, block: int) -> bool:
    return endpoint.quantity("eth_getTransactionCount", f"0x{contract.hex()}", hex(block)) > 0


def _deployed(endpoint: Endpoint, number: int) -> Deployed:
    block = _block(endpoint, number)
    if number > 0 and _block(endpoint, number - 1).hash != block.parent_hash:
        raise Refused("CHAIN_UNREACHABLE", f"{endpoint.name}: block {number} does not follow block {number - 1}")
    return Deployed(block.parent_hash, block.prev_randao)
