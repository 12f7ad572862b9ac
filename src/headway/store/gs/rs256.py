"""Signatures as Google's token service wants them (RS256, RFC 7518), with integers: Python has no RSA of its own.

Used on one's own key to sign what nobody else chose, once an hour: what makes a general RSA hard (attackers
who choose the message, or measure the time it takes) is not met here.
"""

import hashlib
from binascii import Error, a2b_base64, b2a_base64
from typing import List, NamedTuple, Tuple

_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30

#: What stands before the hash in a signature: its algorithm's name in DER (RFC 8017, section 9.2).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")

#: The algorithm's name in a PKCS#8 key (rsaEncryption, RFC 8017, appendix A.1).
_RSA = bytes.fromhex("06092a864886f70d010101")

_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY")


class PrivateKey(NamedTuple):
    """An RSA key, with what makes its use four times cheaper (the Chinese remainder theorem)."""

    modulus: int
    public: int
    prime_p: int
    prime_q: int
    exponent_p: int
    exponent_q: int
    coefficient: int

    def __repr__(self) -> str:
        return f"PrivateKey({self.modulus.bit_length()} bits)"


def read_key(pem: str) -> PrivateKey:
    """The key in PEM text: PKCS#8 (``PRIVATE KEY``) or PKCS#1 (``RSA PRIVATE KEY``).

    Raises:
        ValueError: It is none, one with a passphrase, or no RSA key; what is wrong, without a part of the key.
    """
    label, der = _from_pem(pem)
    try:
        fields = _children(der)
        if label == "PRIVATE KEY":
            algorithm = fields[1][1]
            if not algorithm.startswith(_RSA):
                raise ValueError("it is no RSA key")
            fields = _children(fields[2][1])
        numbers = [int.from_bytes(value, "big") for tag, value in fields if tag == _INTEGER]
    except IndexError:
        raise ValueError("it is cut off") from None
    if len(numbers) < 9:
        raise ValueError("its numbers do not belong together")
    _, modulus, public, _, prime_p, prime_q, exponent_p, exponent_q, coefficient = numbers[:9]
    if prime_p * prime_q != modulus or modulus.bit_length() < 1024:
        raise ValueError("its numbers do not belong together")
    return PrivateKey(modulus, public, prime_p, prime_q, exponent_p, exponent_q, coefficient)


def sign(key: PrivateKey, message: bytes) -> bytes:
    """The signature of a message (RSASSA-PKCS1-v1_5 with SHA-256).

    Raises:
        ValueError: The key is damaged, so that its signatures are none.
    """
    size = (key.modulus.bit_length() + 7) // 8
    digest = _SHA256 + hashlib.sha256(message).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    number = int.from_bytes(padded, "big")
    part_p = pow(number % key.prime_p, key.exponent_p, key.prime_p)
    part_q = pow(number % key.prime_q, key.exponent_q, key.prime_q)
    signature = part_q + key.prime_q * ((part_p - part_q) * key.coefficient % key.prime_p)
    # A wrong one would give the key away: whoever sees it could compute a prime from it.
    if pow(signature, key.public, key.modulus) != number:
        raise ValueError("its numbers do not belong together")
    return signature.to_bytes(size, "big")


def encode(data: bytes) -> str:
    """Base64 as tokens have it: for addresses, and without the filling."""
    return b2a_base64(data, newline=False).decode().rstrip("=").replace("+", "-").replace("/", "_")


def _from_pem(pem: str) -> Tuple[str, bytes]:
    for label in _LABELS:
        _, begin, rest = pem.partition(f"-----BEGIN {label}-----")
        text, end, _ = rest.partition(f"-----END {label}-----")
        if begin and end:
            if "Proc-Type" in text:
                raise ValueError("it has a passphrase")
            try:
                return label, a2b_base64("".join(text.split()))
            except Error:
                raise ValueError("it is damaged") from None
    if "ENCRYPTED PRIVATE KEY" in pem:
        raise ValueError("it has a passphrase")
    raise ValueError("it is no private key in PEM")


def _children(der: bytes) -> List[Tuple[int, bytes]]:
    """The parts of the sequence that this is, each with its tag; that of an octet string that holds one, too."""
    tag, content, _ = _element(der)
    if tag != _SEQUENCE:
        raise ValueError("it is damaged")
    parts = []
    while content:
        tag, value, content = _element(content)
        parts.append((tag, value))
    return parts


def _element(der: bytes) -> Tuple[int, bytes, bytes]:
    """The first element: its tag, its content, and what stands behind it."""
    tag, length, start = der[0], der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start + length > len(der):
        raise IndexError
    return tag, der[start : start + length], der[start + length :]
