"""Hashes, by whichever of Python's two makers of sha256 costs less.

``hashlib`` loads OpenSSL: that takes as long as hashing a megabyte by the code that Python brings itself,
which a task with small values never needs to pay. For large ones OpenSSL is several times as fast.
"""

from threading import Lock
from typing import Any, Sequence, Set

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


class OrderedHash:
    """The sha256 of pieces that come in any order; each is taken up as soon as all before it are there.

    So hashing takes place while others are still on their way, in whichever thread has just brought one.

    Args:
        pieces: All of them in their order, before they have their content.
        size: Bytes in all.
    """

    def __init__(self, pieces: Sequence[Sequence[Buffer]], size: int) -> None:
        self._pieces = pieces
        self._digest = sha256(size)
        self._there: Set[int] = set()
        self._next = 0
        self._busy = False
        self._lock = Lock()

    def ready(self, number: int) -> None:
        """The piece of this number has its content."""
        with self._lock:
            self._there.add(number)
            if self._busy:
                return
            self._busy = True
        while self._has_more():
            for part in self._pieces[self._next]:
                self._digest.update(part)
            self._next += 1

    def _has_more(self) -> bool:
        with self._lock:
            self._busy = self._next in self._there
            return self._busy

    def hexdigest(self) -> str:
        """Of all that came, in hexadecimal digits."""
        return str(self._digest.hexdigest())


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The keyed hash of RFC 2104, for short messages."""
    if len(key) > _BLOCK:
        key = _own(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    inner = _own(key.translate(_INNER) + message).digest()
    return bytes(_own(key.translate(_OUTER) + inner).digest())
