"""EIP-712 messages and compact signatures (§13)."""

from __future__ import annotations

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature, ValidationError

from verisum_auditor.faults import Unreadable
from verisum_auditor.words import hash_words, keccak

DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
ATTESTATION = "Attestation(uint64 round,bytes32 intake,uint256 good,uint256 refused)"
RELEASE = "Release(uint64 round,bytes32 settlement,bytes32 releaseCid)"
RESULT = (
    "Result(uint64 round,bytes32 settlement,bytes32 aggregateCid,bytes32 aggregateDigest,bytes32 modelCid,"
    "bytes32 modelDigest)"
)
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def separator(chain_id: int, contract: bytes, deployment: bytes) -> bytes:
    """The domain separator of a contract."""
    return hash_words(keccak(DOMAIN.encode()), keccak(b"Verisum"), keccak(b"1"), chain_id, contract, deployment)


def signed_hash(domain: bytes, kind: str, *fields: int | bytes) -> bytes:
    """What is signed: the hash of a message of a type with its fields in order."""
    return keccak(b"\x19\x01" + domain + hash_words(keccak(kind.encode()), *fields))


def signer(digest: bytes, compact: bytes) -> bytes:
    """The address that a compact signature (words `r` and `vs`) of a hash recovers to. Raises `Unreadable` where there is none."""
    r, vs = int.from_bytes(compact[:32], "big"), int.from_bytes(compact[32:], "big")
    parity, s = vs >> 255, vs % 2**255
    if s > SECP256K1_ORDER // 2:
        raise Unreadable("a signature's s is above half of the order")
    try:
        signature = Signature(vrs=(parity, r, s))
        return signature.recover_public_key_from_msg_hash(digest).to_canonical_address()
    except (BadSignature, ValidationError, ValueError) as error:
        raise Unreadable("a signature recovers to nobody") from error
