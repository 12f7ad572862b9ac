"""Values to blobs and back: a pickle, with large buffers kept out of it and never copied on the way in.

The address of a blob is made of the sha256 of each block of its frames before compression: equal values
have equal addresses however they are stored, and an existing blob is found before anything is compressed.
"""

import gc
import pickle
import sys
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from headway.store.base import Buffer
from headway.store.blob_format import BLOCK_SIZE, OTHER_CONTENT, ArrayKind, cut, damaged, encode_blob
from headway.store.digest import block_digest, content_address
from headway.store.parallel import run_parallel

if TYPE_CHECKING:
    from headway.store.arriving import Arriving
    from headway.store.contents import Fill, ReadRange
    from headway.store.room import Room

#: Smaller buffers stay in the pickle: a frame each would cost more than the copy.
OUT_OF_BAND_SIZE = 64 << 10

_THREADS = 4


class Blob(NamedTuple):
    """A value ready to be stored.

    Attributes:
        sha256: The address of its content.
        type: The name of the value's type, for people.
        frames: The pickle and the buffers it refers to; these are views of the value's own memory.
        arrays: Which frames are arrays of Python's own.
        digests: The sha256 of each block of each frame.
    """

    sha256: str
    type: str
    frames: Sequence[memoryview]
    arrays: Mapping[int, ArrayKind] = {}  # never changed
    digests: Sequence[Sequence[bytes]] = ()

    @property
    def size(self) -> int:
        """Bytes before compression."""
        return sum(frame.nbytes for frame in self.frames)

    @property
    def is_plain(self) -> bool:
        """Whether it is a pickle and nothing else."""
        return len(self.frames) == 1

    def encode(self) -> List[Buffer]:
        """The blob's bytes as a sequence of buffers; here compression happens."""
        return encode_blob(self.sha256, self.type, self.frames, self.arrays, self.digests)


def dump(value: object, name: str = "") -> Blob:
    """Serialize a value.

    Args:
        value: Whatever pickle can take.
        name: The artifact's name, for errors.

    Raises:
        UnpicklableArtifactError: The value, or something in it, cannot be pickled.
    """
    try:
        pickled = _pickled(value)
    except Exception as error:  # a user's class may raise anything from its __reduce__
        from headway.store.unpicklable import UnpicklableArtifactError, find_unpicklable  # as below

        raise UnpicklableArtifactError(name, type_name(value), find_unpicklable(value), error) from error
    return _blob(value, pickled)


def dump_within(value: object, room: "Room") -> Blob:
    """Serialize a value if it is no larger than that; looks for no culprit in what cannot be pickled.

    Args:
        value: Whatever pickle can take.
        room: Where its pickle goes.

    Raises:
        TooLargeError: It is larger.
        Exception: What pickle, or the value's own class, raised.
    """
    return _blob(value, _pickled(value, room))


def _blob(value: object, pickled: "Tuple[Buffer, _Kept]") -> Blob:
    stream, kept = pickled
    frames = (memoryview(stream), *kept.views)
    digests = _digests(frames)
    return Blob(_address(frames, digests), type_name(value), frames, kept.arrays, digests)


class _Kept:
    """The buffers that stay out of a pickle; called with each, it says True for those that go into it."""

    def __init__(self, room: "Optional[Room]") -> None:
        self._room = room
        self.views: List[memoryview] = []
        self.arrays: Dict[int, ArrayKind] = {}
        self._known: Dict[int, Tuple[pickle.PickleBuffer, ArrayKind]] = {}

    def expect(self, buffer: pickle.PickleBuffer, kind: ArrayKind) -> pickle.PickleBuffer:
        """Note that a buffer which will come is an array's."""
        self._known[id(buffer)] = (buffer, kind)
        return buffer

    def __call__(self, buffer: pickle.PickleBuffer) -> bool:
        try:
            view = buffer.raw()
        except BufferError:  # not contiguous
            return True
        if view.nbytes < OUT_OF_BAND_SIZE:
            return True
        if self._room is not None:
            self._room.take(view.nbytes)
        self.views.append(view)
        if id(buffer) in self._known:
            self.arrays[len(self.views)] = self._known[id(buffer)][1]
        return False


def _pickled(value: object, room: "Optional[Room]" = None) -> Tuple[Buffer, _Kept]:
    kept = _Kept(room)
    with _NoCollection():
        if "array" in sys.modules:  # there may be arrays in the value, then
            from headway.store.arrays import dumps

            return dumps(value, kept, kept.expect, OUT_OF_BAND_SIZE, room), kept
        if room is None:
            return pickle.dumps(value, protocol=5, buffer_callback=kept), kept
        pickle.Pickler(room, protocol=5, buffer_callback=kept).dump(value)
        return room.getbuffer(), kept


def load(read: "ReadRange", name: str = "", sha256: str = "", fill: "Optional[Fill]" = None) -> Any:
    """Read a value back, and check that it is what was stored.

    Arrays come back writable: each of their buffers is read into memory of its own.

    Args:
        read: Reads a range of the blob.
        name: The artifact's name, for errors.
        sha256: The address of the content that is expected, "" to trust the blob's own.
        fill: Reads what is stored as it is straight to where it belongs; None to go through ``read``.

    Raises:
        StoreError: The blob is damaged.
        ArtifactLoadError: The value cannot be made here, mostly because a module is missing.
    """
    from headway.store.contents import use_contents  # a task whose step reads nothing loads nothing

    return use_contents(read, fill, name, sha256, partial(_unpickled, name))


def load_plain(pickled: Buffer, name: str, sha256: str) -> Any:
    """Read back a value that is a pickle and nothing else, as :func:`load` does."""
    view = memoryview(pickled)
    if _address((view,), _digests((view,))) != sha256:
        raise damaged(name, OTHER_CONTENT)
    return _unpickled(name, view)


def _unpickled(name: str, pickled: "Union[Buffer, Arriving]", buffers: Iterable[Any] = ()) -> Any:
    try:
        with _NoCollection():
            if isinstance(pickled, (bytes, bytearray, memoryview)):
                return pickle.loads(pickled, buffers=buffers)
            return pickle.Unpickler(pickled, buffers=buffers).load()
    except Exception as error:  # unpickling runs the user's own code
        from headway.store.unpicklable import ArtifactLoadError  # its words are for what goes wrong

        raise ArtifactLoadError(name, error) from error


def type_name(value: object) -> str:
    """The name of the value's type as a person would write it: ``int``, ``pandas.DataFrame``."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def _digests(frames: Sequence[memoryview]) -> List[List[bytes]]:
    """The sha256 of each block of each frame, made side by side."""
    total = sum(frame.nbytes for frame in frames)
    blocks = [cut(frame, BLOCK_SIZE) for frame in frames]
    calls = [partial(block_digest, block, total) for each in blocks for block in each]
    digests = iter(run_parallel(calls, _THREADS if total > BLOCK_SIZE else 1))
    return [[next(digests) for _ in each] for each in blocks]


def _address(frames: Sequence[memoryview], digests: Sequence[Sequence[bytes]]) -> str:
    return content_address([frame.nbytes for frame in frames], digests, BLOCK_SIZE)


class _NoCollection:
    """Garbage collection off: on a million fresh objects it costs four times the loading itself."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()
