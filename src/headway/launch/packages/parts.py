"""Packs a folder of installed packages into parts that pods fetch and unpack side by side."""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Bytes of content in a part. A pod has a few of them in its memory at a time.
_PART = 4_000_000
#: Bytes from which on a part ends with its top-level folder, so that another set that has the same package,
#: and a neighbour that this one has not, still shares its parts.
_ENOUGH = 500_000
#: Packed once, and unpacked by every pod: worth some time.
_LEVEL = 6


class Part(NamedTuple):
    """One part.

    Attributes:
        sha256: Of its bytes.
        data: As :func:`headway.runtime.packages.unpack_part` reads it.
    """

    sha256: str
    data: bytes


class _Piece(NamedTuple):
    path: str
    executable: bool
    offset: int
    data: bytes


def parts_of(folder: Path) -> Iterator[Part]:
    """The parts of a folder; the same files give the same parts."""
    pieces: list[_Piece] = []
    size, top = 0, ""
    for piece in _pieces(folder):
        first = piece.path.partition("/")[0]
        if pieces and (size + len(piece.data) > _PART or (size >= _ENOUGH and first != top)):
            yield _packed(pieces)
            pieces, size = [], 0
        pieces.append(piece)
        size += len(piece.data)
        top = first
    if pieces:
        yield _packed(pieces)


def _pieces(folder: Path) -> Iterator[_Piece]:
    for path in sorted(_files(folder)):
        with (folder / path).open("rb") as file:
            executable = bool(os.fstat(file.fileno()).st_mode & 0o100)
            offset = 0
            while (data := file.read(_PART)) or not offset:
                yield _Piece(path, executable, offset, data)
                offset += len(data)
                if len(data) < _PART:
                    break


def _files(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield (Path(place) / name).relative_to(folder).as_posix()


def _packed(pieces: list[_Piece]) -> Part:
    head = [[piece.path, piece.executable, piece.offset, len(piece.data)] for piece in pieces]
    text = json.dumps(head, separators=(",", ":")).encode()
    data = zlib.compress(b"\n".join([text, b"".join(piece.data for piece in pieces)]), _LEVEL)
    return Part(hashlib.sha256(data).hexdigest(), data)
