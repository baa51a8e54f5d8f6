"""As much of protocol buffers as dag-pb and UnixFS need: numbers, and fields with a length."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ContentError

VARINT = 0
BYTES = 2
_LONGEST_VARINT = 9


def encode_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number and where it ends.

    :raises ContentError: if it does not end, or is written longer than it must be
    """
    value = 0
    for index in range(_LONGEST_VARINT):
        if at + index >= len(data):
            raise ContentError("a number ends after the block")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if byte == 0 and index > 0:
                raise ContentError("a number is longer than it must be")
            return value, at + index + 1
    raise ContentError("a number has more than 63 bits")


def number_field(number: int, value: int) -> bytes:
    return bytes((number << 3 | VARINT,)) + encode_varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | BYTES,)) + encode_varint(len(value)) + value


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in the order of the message.

    :raises ContentError: for a field of another kind, or one that ends after the message
    """
    at = 0
    while at < len(data):
        key, at = decode_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = decode_varint(data, at)
            yield number, value
        elif kind == BYTES:
            length, at = decode_varint(data, at)
            if at + length > len(data):
                raise ContentError("a field ends after its message")
            yield number, data[at : at + length]
            at += length
        else:
            raise ContentError(f"a field has the wire type {kind}, which is not used here")
