"""Hashes, by whichever of Python's two makers of sha256 costs less.

``hashlib`` loads OpenSSL: that takes as long as hashing a megabyte by the code that Python brings itself,
which a task with small values never needs to pay. For large ones OpenSSL is several times as fast.
"""

from typing import Any, Iterable, Sequence

from headway.store.base import Buffer

try:
    from _sha2 import sha256 as _own  # type: ignore[import-not-found]  # Python 3.12 and later
except ImportError:
    try:
        from _sha256 import sha256 as _own  # type: ignore[import-not-found]
    except ImportError:  # some distributions build Python without
        from hashlib import sha256 as _own

#: From so many bytes on, OpenSSL's pays for being loaded.
_LARGE = 1 << 20

#: What an address begins with, so that it is the sha256 of nothing else that is hashed here.
_TREE = b"headway tree\0"

_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def sha256(size: int) -> Any:
    """A new sha256 as ``hashlib`` makes them, to be given so many bytes in all."""
    if size < _LARGE:
        return _own()
    from hashlib import sha256 as openssl  # see above

    return openssl()


def sha256_of(data: Buffer) -> str:
    """The sha256 of the data, in hexadecimal digits."""
    digest = sha256(memoryview(data).nbytes)
    digest.update(data)
    return str(digest.hexdigest())


def block_digest(block: Buffer, total: int) -> bytes:
    """The sha256 of one block of content that has so many bytes in all."""
    digest = sha256(total)
    digest.update(block)
    return bytes(digest.digest())


def content_address(lengths: Iterable[int], digests: Iterable[Sequence[bytes]], block: int) -> str:
    """The address of content that lies in frames, from the sha256 of each block of each frame.

    So blocks are hashed side by side, each as soon as it is there, and nothing is hashed twice. No two
    contents have the same address by accident of how they are cut: lengths and the size of blocks are in it.

    Args:
        lengths: Bytes of each frame.
        digests: For each frame, those of its blocks in their order.
        block: Bytes of each block of a frame, but for its last.

    Returns:
        Hexadecimal digits.
    """
    said = [_TREE, block.to_bytes(8, "little")]
    for length, blocks in zip(lengths, digests):
        said += (length.to_bytes(8, "little"), *blocks)
    return str(_own(b"".join(said)).hexdigest())


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The keyed hash of RFC 2104, for short messages."""
    if len(key) > _BLOCK:
        key = _own(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    inner = _own(key.translate(_INNER) + message).digest()
    return bytes(_own(key.translate(_OUTER) + inner).digest())
