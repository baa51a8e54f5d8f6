"""What is taken of a gateway: blocks with the digest that was asked for, and of the profile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from server import Answer, serving

from verisum_auditor import gateway, transfer
from verisum_auditor.cid import DAG_PB, PIECE_BYTES, RAW, directory_digest, varint
from verisum_auditor.content import only_file
from verisum_auditor.faults import Fault, Missing, Unreadable
from verisum_auditor.gateway import Gateways, text_of

Blocks = dict[str, bytes]


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FIRST_PAUSE_SECONDS", 0.0)


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def put(blocks: Blocks, codec: bytes, block: bytes) -> bytes:
    cid = codec + hashlib.sha256(block).digest()
    blocks[f"/ipfs/{text_of(cid)}?format=raw"] = block
    return cid


def link(cid: bytes, name: bytes, total: int) -> bytes:
    return field(2, field(1, cid) + field(2, name) + b"\x18" + varint(total))


def put_file(blocks: Blocks, data: bytes) -> tuple[bytes, int]:
    """A file of at most two pieces; its CID and its total size."""
    pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)] or [b""]
    cids = [put(blocks, RAW, piece) for piece in pieces]
    if len(pieces) == 1:
        return cids[0], len(data)
    sizes = b"".join(b"\x20" + varint(len(piece)) for piece in pieces)
    links = b"".join(link(cid, b"", len(piece)) for cid, piece in zip(cids, pieces))
    node = links + field(1, b"\x08\x02\x18" + varint(len(data)) + sizes)
    return put(blocks, DAG_PB, node), len(node) + len(data)


def put_directory(blocks: Blocks, files: dict[str, bytes]) -> bytes:
    links = b""
    for name, data in sorted(files.items()):
        cid, total = put_file(blocks, data)
        links += link(cid, name.encode("utf-8"), total)
    return put(blocks, DAG_PB, links + field(1, b"\x08\x01"))[len(DAG_PB) :]


FILES = {"config.json": b"{}\n", "empty": b"", "state.bin": bytes(range(256)) * 5000}


@pytest.fixture()
def blocks() -> Blocks:
    return {}


def directory(digest: bytes, *sources: Blocks) -> tuple[dict[str, bytes], list[str]]:
    """A directory from gateways with these blocks, and what is told beside it."""
    notes: list[str] = []
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(answer_of(source))) for source in sources]
        return dict(Gateways(urls, notes.append).directory(digest)), notes


def answer_of(source: Blocks) -> Callable[[str, bytes], Answer]:
    return lambda path, body: (200, source[path]) if path in source else (404, b"")


def test_a_directory_is_what_its_cid_names(blocks: Blocks) -> None:
    digest = put_directory(blocks, FILES)
    assert digest == directory_digest(FILES)
    assert directory(digest, blocks) == (FILES, [])


def test_a_block_is_asked_of_the_next_gateway(blocks: Blocks) -> None:
    digest = put_directory(blocks, FILES)
    spoilt = {path: block + b"x" for path, block in blocks.items()}
    assert directory(digest, {}, spoilt, blocks) == (FILES, [])


def test_a_block_with_another_digest_is_missing(blocks: Blocks) -> None:
    digest = put_directory(blocks, FILES)
    path = next(path for path, block in blocks.items() if block == FILES["config.json"])
    files, notes = directory(digest, {**blocks, path: b"{ }\n"})
    assert files == {name: data for name, data in FILES.items() if name != "config.json"}
    assert "another digest" in notes[0] and notes[0].startswith("config.json")


def test_a_directory_that_nobody_has_is_missing() -> None:
    with serving(answer_of({})) as url, pytest.raises(Missing):
        only_file(Gateways([url], lambda text: None), bytes(32), "task.json")


def test_a_file_in_other_pieces_is_another_cid(blocks: Blocks) -> None:
    """Its blocks have their digests; the profile would have made others."""
    cid = put(blocks, RAW, b"12")
    node = put(blocks, DAG_PB, link(cid, b"", 2) + field(1, b"\x08\x02\x18\x02\x20\x02"))
    digest = put(blocks, DAG_PB, link(node, b"task.json", 9) + field(1, b"\x08\x01"))[len(DAG_PB) :]
    with serving(answer_of(blocks)) as url, pytest.raises(Fault, match="not what the CID names"):
        only_file(Gateways([url], lambda text: None), digest, "task.json")


NAME, END = field(2, b"a"), field(1, b"\x08\x01")
PIECE = RAW + hashlib.sha256(b"").digest()
REFUSED = {
    "a file": field(1, b"\x08\x02"),
    "links behind data": END + link(PIECE, b"a", 0),
    "data twice": END + END,
    "another field": field(3, b"") + END,
    "a name twice": link(PIECE, b"a", 0) * 2 + END,
    "a link of another codec": link(b"\x01\x71\x12\x20" + bytes(32), b"a", 0) + END,
    "a link without a size": field(2, field(1, PIECE) + NAME) + END,
    "a name that is no UTF-8": link(PIECE, b"\xff", 0) + END,
    "an end within a number": END + b"\x80",
    "a field that is longer than the block": b"\x0a\x09\x08\x01",
    "a fixed number": END + b"\x0d\x00\x00\x00\x00",
}


@pytest.mark.parametrize("block", REFUSED.values(), ids=REFUSED.keys())
def test_a_block_of_another_form_is_refused(blocks: Blocks, block: bytes) -> None:
    put(blocks, RAW, b"")
    digest = put(blocks, DAG_PB, block)[len(DAG_PB) :]
    with pytest.raises(Unreadable):
        directory(digest, blocks)


def test_a_file_has_a_most_length(blocks: Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = put_directory(blocks, FILES)
    monkeypatch.setattr(gateway, "MOST_FILE_BYTES", len(FILES["state.bin"]))
    with pytest.raises(Unreadable, match="more than 1 GiB"):
        directory(digest, blocks)


def test_a_file_has_a_most_depth(blocks: Blocks) -> None:
    cid = PIECE
    put(blocks, RAW, b"")
    for _ in range(gateway.MOST_LEVELS + 1):
        cid = put(blocks, DAG_PB, link(cid, b"", 0) + field(1, b"\x08\x02"))
    digest = put(blocks, DAG_PB, link(cid, b"a", 0) + END)[len(DAG_PB) :]
    with pytest.raises(Unreadable, match="no file"):
        directory(digest, blocks)
