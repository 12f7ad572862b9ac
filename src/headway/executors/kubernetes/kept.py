"""Keeps what takes long to build in one file, which holds it together with the name of what it was built from."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_DIGITS = 64


def read_kept(place: Path, sha256: str) -> bytes | None:
    """What was kept there, None unless it was built from just this."""
    try:
        content = place.read_bytes()
    except OSError:
        return None
    return content[_DIGITS:] if content[:_DIGITS] == sha256.encode() else None


def keep(place: Path, sha256: str, data: bytes) -> None:
    """Keep it there in place of anything older; where nothing can be written, it is built anew each time.

    Args:
        place: The file; like Python's own compiled files it is not written under ``-B``.
        sha256: Of what it was built from, in hexadecimal digits.
        data: What was built.
    """
    if sys.dont_write_bytecode:
        return
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        try:
            draft.write_bytes(sha256.encode() + data)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
