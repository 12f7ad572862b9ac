"""Brings the bundle of code into a pod and unpacks it.

The bundle is a gzipped tar of plain files as the launcher packs it. It is read here by hand: the
standard library's reader takes longer to import than all the rest of this takes.
"""

import os
import zlib
from typing import Iterator, NamedTuple, Tuple

from headway.errors import StoreError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code
from headway.store.digest import sha256_of

_BLOCK = 512
#: A zlib stream with a gzip header.
_GZIP = 16 + zlib.MAX_WBITS
_FILE, _OLD_FILE, _FOLDER, _LONG_NAME = b"0", b"\0", b"5", b"L"


class _Entry(NamedTuple):
    """One file or folder of a tar: its name, its kind, its mode, its content."""

    name: str
    kind: bytes
    mode: int
    content: memoryview


def unpack_bundle(store: ObjectStore, batch: Batch, work: str) -> str:
    """Fetch the batch's bundle, check its hash, and unpack it below the work folder.

    Returns:
        The folder that now holds the code.

    Raises:
        StoreError: The bundle is not what its name says.
    """
    data = store.get(layout.code(batch.flow, batch.code.bundle))
    if sha256_of(data) != batch.code.bundle:
        raise StoreError(
            f"The code bundle {batch.code.bundle[:12]} in {store.url} is damaged: its content does not match its name.",
            "Run the flow again; the bundle is uploaded anew.",
        )
    root = os.path.join(work, "code")
    os.makedirs(root, exist_ok=True)
    for entry in _entries(memoryview(zlib.decompress(data, _GZIP))):
        _extract(entry, root)
    return root


def with_packages(store: ObjectStore, batch: Batch, work: str) -> Code:
    """The batch's code, once the packages that it wants are there.

    Raises:
        SettingsError: They are not for this pod's Python or machine.
        StoreError: They are not what their name says.
    """
    code = batch.code
    if code.packages is None:
        return code
    from headway.runtime.packages import fetch_packages  # for steps with @pypi only

    folder = fetch_packages(store, batch.flow, code.packages, os.path.join(work, "packages"))
    return code._replace(packages=code.packages._replace(folder=folder))


def _entries(tar: memoryview) -> Iterator[_Entry]:
    """The entries of a tar in the ustar or GNU format, whichever way their names are stored."""
    position, long_name = 0, ""
    while position + _BLOCK <= len(tar) and tar[position] != 0:
        header = bytes(tar[position : position + _BLOCK])
        name, size = _name(header), int(header[124:136].strip(b"\0 ") or b"0", 8)
        content = tar[position + _BLOCK : position + _BLOCK + size]
        position += _BLOCK + -(-size // _BLOCK) * _BLOCK
        if header[156:157] == _LONG_NAME:
            long_name = bytes(content).rstrip(b"\0").decode()
            continue
        yield _Entry(
            long_name or name, header[156:157], int(header[100:108].strip(b"\0 ") or b"0", 8), content
        )
        long_name = ""


def _name(header: bytes) -> str:
    name, prefix = _text(header, (0, 100)), _text(header, (345, 500))
    # In the GNU format, told by the blank in its magic word, these bytes mean something else.
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\0" else name


def _text(header: bytes, where: Tuple[int, int]) -> str:
    # A long name is cut here, maybe within a character; it stands whole before.
    return header[where[0] : where[1]].split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _extract(entry: _Entry, root: str) -> None:
    """One plain file or folder; whatever else, or points outside the root, is not ours and is refused."""
    target = os.path.normpath(os.path.join(root, entry.name))
    inside = target == root or target.startswith(root + os.sep)
    if not inside or entry.kind not in (_FILE, _OLD_FILE, _FOLDER):
        raise StoreError(f"The code bundle holds an entry that it must not hold: {entry.name}.")
    if entry.kind == _FOLDER:
        os.makedirs(target, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(entry.content)
    os.chmod(target, 0o755 if entry.mode & 0o100 else 0o644)
