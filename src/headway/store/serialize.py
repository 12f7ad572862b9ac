"""Values to bytes and back: a pickle, with large buffers kept out of it, each frame compressed if it pays.

A blob is::

    b"HWB1" | length of the header, 4 bytes little-endian | header, JSON | frame | frame | …

    header  {"sha256": …, "type": …, "frames": [[codec, raw size, stored size], …]}
    frames  the pickle (protocol 5), then its out-of-band buffers in their order
    codec   "raw" or "zlib"

The sha256 is over the frames as they are before compression, each after its length (8 bytes), so
that equal values have equal addresses however they were stored, and an existing blob is found
before anything is compressed.
"""

import gc
import hashlib
import json
import pickle
import zlib
from contextlib import contextmanager
from typing import Any, Iterator, List, NamedTuple, Protocol, Sequence, Tuple

from headway.errors import StoreError
from headway.store.base import Buffer
from headway.store.unpicklable import ArtifactLoadError, UnpicklableArtifactError, find_unpicklable

_MAGIC = b"HWB1"

#: So much of a blob is read at first; most blobs are whole in it.
FIRST_READ = 1 << 20

#: Smaller buffers stay in the pickle: a frame each would cost more than the copy.
_OUT_OF_BAND_SIZE = 64 << 10

#: Smaller frames are stored as they are: a request costs more than what compression saves.
_COMPRESS_SIZE = 16 << 10

#: Three pieces of this size, from the start, the middle and the end, tell whether a frame shrinks.
_SAMPLE_SIZE = 32 << 10
_WORTHWHILE = 0.9

_CHUNK = 1 << 20


class BlobReader(Protocol):
    """Reads a stored blob, piece by piece."""

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end) of the blob; shorter at its end."""
        ...

    def fill(self, pieces: Sequence[Tuple[int, memoryview]]) -> None:
        """Fill each of these views with the blob's bytes from this offset on; too few are an error."""
        ...


class Blob(NamedTuple):
    """A value ready to be stored.

    Attributes:
        sha256: The address of its content.
        type: The name of the value's type, for people.
        frames: The pickle and the buffers it refers to; these are views of the value's own memory.
    """

    sha256: str
    type: str
    frames: Tuple[memoryview, ...]

    @property
    def size(self) -> int:
        """Bytes before compression."""
        return sum(frame.nbytes for frame in self.frames)

    def encode(self) -> List[Buffer]:
        """The blob's bytes as a sequence of buffers; here compression happens."""
        body: List[Buffer] = []
        listed = []
        for frame in self.frames:
            parts = _compress(frame) if _is_compressible(frame) else None
            stored: List[Buffer] = [frame] if parts is None else list(parts)
            listed.append(
                ("raw" if parts is None else "zlib", frame.nbytes, sum(len(part) for part in stored))
            )
            body += stored
        header = json.dumps({"sha256": self.sha256, "type": self.type, "frames": listed}).encode()
        return [_MAGIC + len(header).to_bytes(4, "little") + header, *body]


def dump(value: object, name: str = "") -> Blob:
    """Serialize a value.

    Args:
        value: Whatever pickle can take.
        name: The artifact's name, for errors.

    Raises:
        UnpicklableArtifactError: The value, or something in it, cannot be pickled.
    """
    buffers: List[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        """Take a buffer out of the pickle; True leaves it in."""
        try:
            view = buffer.raw()
        except BufferError:  # not contiguous
            return True
        if view.nbytes < _OUT_OF_BAND_SIZE:
            return True
        buffers.append(view)
        return False

    kind = type_name(value)
    try:
        with _no_collection():
            pickled = pickle.dumps(value, protocol=5, buffer_callback=keep)
    except Exception as error:  # a user's class may raise anything from its __reduce__
        raise UnpicklableArtifactError(name, kind, find_unpicklable(value), error) from error
    frames = (memoryview(pickled), *buffers)
    digest = hashlib.sha256()
    for frame in frames:
        _add(digest, frame)
    return Blob(digest.hexdigest(), kind, frames)


def load(reader: BlobReader, name: str = "", sha256: str = "") -> Any:
    """Read a value back, and check that it is what was stored.

    Arrays come back writable: their buffers are read into memory of their own.

    Args:
        reader: Reads ranges of the blob.
        name: The artifact's name, for errors.
        sha256: The address of the content that is expected, "" to trust the blob's own.

    Raises:
        StoreError: The blob is damaged.
        ArtifactLoadError: The value cannot be made here, mostly because a module is missing.
    """
    first = reader.read(0, FIRST_READ)
    header, start = _read_header(reader, first, name)
    stored = [bytearray(size) for _, _, size in header.frames]
    missing = []
    for frame in stored:
        here = first[start : start + len(frame)]
        frame[: len(here)] = here
        if len(here) < len(frame):
            missing.append((start + len(here), memoryview(frame)[len(here) :]))
        start += len(frame)
    if missing:
        reader.fill(missing)
    missing.clear()
    digest = hashlib.sha256()
    for index, (codec, size, _) in enumerate(header.frames):
        # In place, so that the compressed form is let go before the next frame is unpacked.
        stored[index] = _unpack(stored[index], codec, size, name)
        _add(digest, memoryview(stored[index]))
    if digest.hexdigest() != (sha256 or header.sha256):
        raise _damaged(name, "its content does not match its sha256")
    try:
        with _no_collection():
            return pickle.loads(stored[0], buffers=stored[1:])
    except Exception as error:  # unpickling runs the user's own code
        raise ArtifactLoadError(name, error) from error


def type_name(value: object) -> str:
    """The name of the value's type as a person would write it: ``int``, ``pandas.DataFrame``."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def _add(digest: "hashlib._Hash", frame: memoryview) -> None:
    digest.update(frame.nbytes.to_bytes(8, "little"))
    digest.update(frame)


def _is_compressible(frame: memoryview) -> bool:
    size = frame.nbytes
    if size < _COMPRESS_SIZE:
        return False
    starts = {0, max(0, size // 2 - _SAMPLE_SIZE // 2), max(0, size - _SAMPLE_SIZE)}
    taken = packed = 0
    for start in starts:
        sample = frame[start : start + _SAMPLE_SIZE]
        taken += sample.nbytes
        packed += len(zlib.compress(sample, 1))
    return packed < taken * _WORTHWHILE


def _compress(frame: memoryview) -> List[bytes]:
    packer = zlib.compressobj(1)
    parts = [packer.compress(frame[start : start + _CHUNK]) for start in range(0, frame.nbytes, _CHUNK)]
    parts.append(packer.flush())
    return [part for part in parts if part]


def _unpack(stored: bytearray, codec: str, size: int, name: str) -> bytearray:
    if codec == "raw":
        return stored
    if codec != "zlib":
        raise StoreError(
            f"artifact {name} is compressed with {codec!r}, which this version of Headway does not read",
            "Update Headway here.",
        )
    content = bytearray(size)
    unpacker = zlib.decompressobj()
    source = memoryview(stored)
    filled = taken = 0
    try:
        # In small pieces: unpacked at once, the frame would stand in memory twice.
        while filled < size:
            packed: Buffer = unpacker.unconsumed_tail
            if not packed:
                packed = source[taken : taken + _CHUNK]
                taken += len(packed)
            piece = unpacker.decompress(packed, min(_CHUNK, size - filled))
            if not piece and not packed:
                break
            content[filled : filled + len(piece)] = piece
            filled += len(piece)
    except zlib.error as error:
        raise _damaged(name, str(error)) from error
    if filled != size:
        raise _damaged(name, f"a frame holds {filled} bytes instead of {size}")
    return content


class _Header(NamedTuple):
    sha256: str
    frames: List[Tuple[str, int, int]]


def _read_header(reader: BlobReader, first: bytes, name: str) -> Tuple[_Header, int]:
    """The header, and where the frames begin."""
    start = len(_MAGIC) + 4
    if len(first) < start or not first.startswith(_MAGIC):
        raise _damaged(name, "it does not begin like a blob")
    end = start + int.from_bytes(first[len(_MAGIC) : start], "little")
    raw = first[start:end] if end <= len(first) else reader.read(start, end)
    try:
        header = json.loads(raw)
        frames = [(str(codec), int(size), int(stored)) for codec, size, stored in header["frames"]]
        return _Header(header["sha256"], frames), end
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(name, "its header cannot be read") from error


def _damaged(name: str, why: str) -> StoreError:
    return StoreError(
        f"artifact {name} is damaged in the datastore: {why}",
        "Run the step that made it again; resume would clone the damaged copy.",
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage collection off: on a million fresh objects it costs four times the loading itself."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
