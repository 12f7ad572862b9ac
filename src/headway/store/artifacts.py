"""Artifacts in a datastore: stored once by content, fetched in parallel, checked on the way back.

A small value stands in its task's record: no request of its own to store it, and none to read it.
"""

from binascii import a2b_base64, b2a_base64
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, TypeVar

from headway.errors import KeyNotFoundError, StoreError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.blob_format import damaged
from headway.store.parallel import run_parallel
from headway.store.records import ArtifactRef
from headway.store.serialize import Blob, dump, load, load_plain

T = TypeVar("T")

#: The type of the artifact of an included file.
INCLUDED = "headway.store.included.IncludedFile"

#: A blob smaller than this is written without asking first whether it is there: one request, not two.
_ASK_FIRST_SIZE = 256 << 10

#: Larger blobs go one after the other, each in parts side by side; smaller ones go several at a time.
_LARGE_SIZE = 8 << 20
_THREADS = 8

#: Pickles up to this size stand in the record, as long as there are not too many: those that a task passes on
#: stand in the record of every task that follows.
_WITHIN_SIZE = 512
_WITHIN_RECORD = 8 << 10


class ArtifactStore:
    """The artifacts of one flow.

    Args:
        store: The datastore.
        flow: The flow's name; equal values are stored once per flow.
    """

    def __init__(self, store: ObjectStore, flow: str) -> None:
        self._store = store
        self._flow = flow

    def save(self, name: str, value: object) -> ArtifactRef:
        """Store a value unless an equal one is there.

        Raises:
            UnpicklableArtifactError: The value cannot be pickled.
            StoreError: The datastore failed.
        """
        return self._upload(dump(value, name))

    def save_many(
        self, values: Mapping[str, object], beside: Iterable[ArtifactRef] = ()
    ) -> Dict[str, ArtifactRef]:
        """Store several values, several at a time; nothing is stored if one of them cannot be pickled.

        The references of small values hold the values, so that they are stored with the record that names them.

        Args:
            values: The values by name.
            beside: The references that will stand in the same record.

        Raises:
            UnpicklableArtifactError: A value cannot be pickled.
            StoreError: The datastore failed.
        """
        return self.save_blobs({name: dump(value, name) for name, value in values.items()}, beside)

    def save_blobs(
        self, blobs: Mapping[str, Blob], beside: Iterable[ArtifactRef] = ()
    ) -> Dict[str, ArtifactRef]:
        """Store several values that are serialized by now, as :meth:`save_many` does."""
        room = _WITHIN_RECORD - sum(len(ref.pickled) for ref in beside)
        sizes: Dict[str, int] = {}
        within: Dict[str, ArtifactRef] = {}
        for name, blob in blobs.items():
            if blob.is_plain and blob.size <= min(_WITHIN_SIZE, room):
                within[name] = _with_content(blob)
                room -= len(within[name].pickled)
            else:
                sizes[name] = blob.size
        uploaded = _for_each(sizes, lambda name: self._upload(blobs[name]))
        return {name: within.get(name) or uploaded[name] for name in blobs}

    def save_file(self, name: str, data: bytes, file_name: str, encoding: Optional[str]) -> ArtifactRef:
        """Store what a file holds; loading the artifact gives the content.

        Args:
            name: The artifact's name.
            data: The content.
            file_name: The file's name, for people.
            encoding: How its text is encoded; None if the content is bytes.

        Returns:
            The artifact, with the content's size for its own.
        """
        from headway.store.included import IncludedFile  # most runs include none

        content = self.save(name, data)
        return self.save(name, IncludedFile(content, file_name, encoding))._replace(size=len(data))

    def load(self, name: str, ref: ArtifactRef) -> Any:
        """The value behind a reference.

        Raises:
            StoreError: It is not there, or damaged.
            ArtifactLoadError: It cannot be made in this process.
        """
        value = self._stored(name, ref)
        if ref.type != INCLUDED:
            return value
        from headway.store.included import content_of  # most tasks read none

        return content_of(value, lambda content: self.load(name, content))

    def load_many(self, refs: Mapping[str, ArtifactRef]) -> Dict[str, Any]:
        """The values behind several references, fetched several at a time."""
        sizes = {name: ref.size for name, ref in refs.items() if not ref.pickled}
        fetched = _for_each(sizes, lambda name: self.load(name, refs[name]))
        return {name: fetched[name] if name in fetched else self.load(name, refs[name]) for name in refs}

    def objects_of(self, ref: ArtifactRef) -> List[str]:
        """The addresses of the objects that an artifact is made of: none, where its value stands in its reference.

        Raises:
            StoreError: What is included is not there, or damaged.
        """
        found = [] if ref.pickled else [ref.sha256]
        if ref.type == INCLUDED:
            found.append(self._stored("of an included file", ref).content.sha256)
        return found

    def _stored(self, name: str, ref: ArtifactRef) -> Any:
        if ref.pickled:
            return _load_content(name, ref)
        key = layout.blob(self._flow, ref.sha256)
        read, fill = partial(self._store.get_range, key), partial(self._store.read_into, key)
        try:
            return load(read, name, ref.sha256, fill)
        except KeyNotFoundError as error:
            raise StoreError(
                f"the content of artifact {name} is no longer in {self._store.url}",
                "Somebody deleted it there; run the step that made it again.",
            ) from error

    def _upload(self, blob: Blob) -> ArtifactRef:
        key = layout.blob(self._flow, blob.sha256)
        if blob.size >= _ASK_FIRST_SIZE:
            there = self._store.size(key)
            # No blob is empty: what a power cut left of one is written again.
            if there:
                return ArtifactRef(blob.sha256, there, blob.type)
        buffers = blob.encode()
        self._store.put(key, buffers)
        return ArtifactRef(blob.sha256, sum(memoryview(part).nbytes for part in buffers), blob.type)


def _with_content(blob: Blob) -> ArtifactRef:
    """The reference of a small value, with the value in it."""
    pickled = b2a_base64(blob.frames[0], newline=False).decode()
    return ArtifactRef(blob.sha256, blob.size, blob.type, pickled)


def _load_content(name: str, ref: ArtifactRef) -> Any:
    """The value that stands in its reference."""
    try:
        pickled = a2b_base64(ref.pickled)
    except ValueError as error:
        raise damaged(name, str(error)) from error
    return load_plain(pickled, name, ref.sha256)


def _for_each(sizes: Mapping[str, int], call: Callable[[str], T]) -> Dict[str, T]:
    """Make the call for every name, the small ones side by side; results in the order of the names."""
    small = [name for name, size in sizes.items() if size <= _LARGE_SIZE]
    results = dict(zip(small, run_parallel([partial(call, name) for name in small], _THREADS)))
    results.update((name, call(name)) for name, size in sizes.items() if size > _LARGE_SIZE)
    return {name: results[name] for name in sizes}
