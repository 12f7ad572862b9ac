"""Values to blobs and back: a pickle, with large buffers kept out of it and never copied on the way in.

The address of a blob is the sha256 over its frames before compression, each after its length (8
bytes, little-endian): equal values have equal addresses however they are stored, and an existing
blob is found before anything is compressed.
"""

import gc
import pickle
from functools import partial
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

from headway.store.base import Buffer
from headway.store.blob_format import (
    BLOCK_SIZE,
    Header,
    damaged,
    decode_header,
    encode_blob,
    header_end,
    unpack_block,
)
from headway.store.digest import OrderedHash, sha256
from headway.store.parallel import run_parallel

#: So much of a blob is read at first; most blobs are whole in it.
FIRST_READ = 1 << 20

#: Smaller buffers stay in the pickle: a frame each would cost more than the copy.
_OUT_OF_BAND_SIZE = 64 << 10

_THREADS = 4

#: Reads bytes [start, end) of a blob; shorter at its end. Called from several threads.
ReadRange = Callable[[int, int], bytes]
#: Fills a view with a blob's bytes from a place on, and says how many there were; called likewise.
Fill = Callable[[int, memoryview], int]


class Blob(NamedTuple):
    """A value ready to be stored.

    Attributes:
        sha256: The address of its content.
        type: The name of the value's type, for people.
        frames: The pickle and the buffers it refers to; these are views of the value's own memory.
    """

    sha256: str
    type: str
    frames: Sequence[memoryview]

    @property
    def size(self) -> int:
        """Bytes before compression."""
        return sum(frame.nbytes for frame in self.frames)

    def encode(self) -> List[Buffer]:
        """The blob's bytes as a sequence of buffers; here compression happens."""
        return encode_blob(self.sha256, self.type, self.frames)


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
        with _NoCollection():
            pickled = pickle.dumps(value, protocol=5, buffer_callback=keep)
    except Exception as error:  # a user's class may raise anything from its __reduce__
        from headway.store.unpicklable import UnpicklableArtifactError, find_unpicklable  # as below

        raise UnpicklableArtifactError(name, kind, find_unpicklable(value), error) from error
    frames = (memoryview(pickled), *buffers)
    return Blob(_address(frames), kind, frames)


def load(read: ReadRange, name: str = "", sha256: str = "", fill: Optional[Fill] = None) -> Any:
    """Read a value back, and check that it is what was stored.

    Arrays come back writable: their buffers are read into memory of their own.

    Args:
        read: Reads a range of the blob.
        name: The artifact's name, for errors.
        sha256: The address of the content that is expected, "" to trust the blob's own.
        fill: Reads what is stored as it is straight to where it belongs; None to go through ``read``.

    Raises:
        StoreError: The blob is damaged.
        ArtifactLoadError: The value cannot be made here, mostly because a module is missing.
    """
    contents = _contents(read, fill, name, sha256)
    try:
        with _NoCollection():
            return pickle.loads(contents[0], buffers=contents[1:])
    except Exception as error:  # unpickling runs the user's own code
        from headway.store.unpicklable import ArtifactLoadError  # its words are for what goes wrong

        raise ArtifactLoadError(name, error) from error


def _contents(read: ReadRange, fill: Optional[Fill], name: str, sha256: str) -> List[bytearray]:
    """The frames of a blob, fetched side by side, hashed on the way."""
    first = read(0, FIRST_READ)
    end = header_end(first, name)
    if end > len(first):
        first += read(len(first), end)
    header = decode_header(first, name)
    contents = [bytearray(frame.size) for frame in header.frames]
    groups = _group(header, contents)
    whole = not groups or groups[-1][-1].end <= len(first)
    pieces = [[part for block in group for part in (block.before, block.into)] for group in groups]
    hashed = OrderedHash(pieces, sum(frame.size for frame in header.frames))

    def bring(number: int) -> None:
        _fetch(read, fill, first, groups[number], name)
        hashed.ready(number)

    run_parallel([partial(bring, number) for number in range(len(groups))], 1 if whole else _THREADS)
    if hashed.hexdigest() != (sha256 or header.sha256):
        raise damaged(name, "its content does not match its sha256")
    return contents


def type_name(value: object) -> str:
    """The name of the value's type as a person would write it: ``int``, ``pandas.DataFrame``."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


class _Block(NamedTuple):
    """A block.

    Attributes:
        start: Where it begins in the blob.
        end: Where it ends there.
        codec: How it is packed.
        into: Its place in the content.
        before: What is hashed before it: at the start of a frame, the frame's length.
    """

    start: int
    end: int
    codec: str
    into: memoryview
    before: bytes


def _group(header: Header, contents: Sequence[bytearray]) -> List[List[_Block]]:
    """The blocks in groups that are read at once: many small arrays need not be many requests."""
    groups: List[List[_Block]] = []
    start = header.start
    for frame, content in zip(header.frames, contents):
        view = memoryview(content)
        for number, (codec, stored) in enumerate(frame.blocks):
            into = view[number * header.block : (number + 1) * header.block]
            before = b"" if number else _length(view)
            block = _Block(start, start + stored, codec, into, before)
            if not groups or block.end - groups[-1][0].start > BLOCK_SIZE:
                groups.append([])
            groups[-1].append(block)
            start = block.end
    return groups


def _fetch(read: ReadRange, fill: Optional[Fill], first: bytes, group: Sequence[_Block], name: str) -> None:
    """Put blocks in their places, from what was read at first and with one read more."""
    start, end = group[0].start, group[-1].end
    data = first[start:end]
    if fill is not None and len(group) == 1 and group[0].codec == "raw" and start + len(data) < end:
        into = group[0].into
        if len(into) != end - start:
            raise damaged(name, f"a block holds {end - start} bytes instead of {len(into)}")
        into[: len(data)] = data
        have = len(data) + fill(start + len(data), into[len(data) :])
        if have < len(into):
            raise damaged(name, f"it is cut off after {start + have} bytes")
        return
    if start + len(data) < end:
        data += read(start + len(data), end)
    if start + len(data) < end:
        raise damaged(name, f"it is cut off after {start + len(data)} bytes")
    view = memoryview(data)
    for block in group:
        unpack_block(block.codec, view[block.start - start : block.end - start], block.into, name)


def _address(frames: Sequence[memoryview]) -> str:
    digest = sha256(sum(frame.nbytes for frame in frames))
    for frame in frames:
        digest.update(_length(frame))
        digest.update(frame)
    return str(digest.hexdigest())


def _length(frame: memoryview) -> bytes:
    return frame.nbytes.to_bytes(8, "little")


class _NoCollection:
    """Garbage collection off: on a million fresh objects it costs four times the loading itself."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()
