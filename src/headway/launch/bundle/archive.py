"""Packs a planned bundle; the same files give the same bytes, so the same code is stored once."""

import gzip
import hashlib
import io
import os
import stat
import tarfile
from dataclasses import dataclass

from headway.errors import UsageError
from headway.launch.bundle.plan import BundleFile, Plan

#: More costs more time here than it saves on the way.
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed bundle.

    Attributes:
        data: A gzipped tar.
        sha256: The hash of these bytes, under which they are stored.
    """

    data: bytes
    sha256: str


def pack(plan: Plan) -> Archive:
    """Read the planned files and pack them.

    Neither times nor owners go in, and of the modes only whether a file is executable, so that a fresh
    clone of the same code has the same address.

    Raises:
        UsageError: A file has gone or cannot be read.
    """
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", _LEVEL, buffer, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for file in plan.files:
            content, executable = _read(file)
            entry = tarfile.TarInfo(file.path)
            entry.size = len(content)
            entry.mode = 0o755 if executable else 0o644
            tar.addfile(entry, io.BytesIO(content))
    data = buffer.getvalue()
    return Archive(data, hashlib.sha256(data).hexdigest())


def _read(file: BundleFile) -> tuple[bytes, bool]:
    if file.source is None:
        return file.content or b"", False
    try:
        with file.source.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            return opened.read(), bool(mode & stat.S_IXUSR)
    except OSError as error:
        raise UsageError(
            f"{file.source} belongs to the flow's code but cannot be read: {error.strerror}.",
            "Make it readable, or name it in a .headwayignore beside the flow.",
        ) from error
