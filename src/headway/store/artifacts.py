"""Artifacts in a datastore: stored once by content, fetched in parallel, checked on the way back."""

from functools import partial
from typing import Any, Dict, Mapping, Sequence, Tuple

from headway.errors import KeyNotFoundError, StoreError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.parallel import run_parallel
from headway.store.records import ArtifactRef
from headway.store.serialize import Blob, dump, load

#: A blob smaller than this is written without asking first whether it is there: one request, not two.
_ASK_FIRST_SIZE = 256 << 10

_PIECE_SIZE = 8 << 20
_THREADS = 8
_PIECE_THREADS = 4


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

    def save_many(self, values: Mapping[str, object]) -> Dict[str, ArtifactRef]:
        """Store several values, several at a time; nothing is stored if one of them cannot be pickled."""
        blobs = [dump(value, name) for name, value in values.items()]
        refs = run_parallel([partial(self._upload, blob) for blob in blobs], _THREADS)
        return dict(zip(values, refs))

    def load(self, name: str, ref: ArtifactRef) -> Any:
        """The value behind a reference.

        Raises:
            StoreError: It is not there, or damaged.
            ArtifactLoadError: It cannot be made in this process.
        """
        reader = _Reader(self._store, layout.blob(self._flow, ref.sha256))
        try:
            return load(reader, name, ref.sha256)
        except KeyNotFoundError as error:
            raise StoreError(
                f"the content of artifact {name} is no longer in {self._store.url}",
                "Somebody deleted it there; run the step that made it again.",
            ) from error

    def load_many(self, refs: Mapping[str, ArtifactRef]) -> Dict[str, Any]:
        """The values behind several references, fetched several at a time."""
        values = run_parallel([partial(self.load, name, ref) for name, ref in refs.items()], _THREADS)
        return dict(zip(refs, values))

    def _upload(self, blob: Blob) -> ArtifactRef:
        key = layout.blob(self._flow, blob.sha256)
        if blob.size >= _ASK_FIRST_SIZE:
            there = self._store.size(key)
            if there is not None:
                return ArtifactRef(blob.sha256, there, blob.type)
        buffers = blob.encode()
        self._store.put(key, buffers)
        return ArtifactRef(blob.sha256, sum(memoryview(part).nbytes for part in buffers), blob.type)


class _Reader:
    """A blob in the store, large ranges of it read side by side."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key

    def read(self, start: int, end: int) -> bytes:
        return self._store.get_range(self._key, start, end)

    def fill(self, pieces: Sequence[Tuple[int, memoryview]]) -> None:
        spans = [
            (offset + at, view[at : at + _PIECE_SIZE])
            for offset, view in pieces
            for at in range(0, len(view), _PIECE_SIZE)
        ]
        run_parallel([partial(self._fill_one, offset, view) for offset, view in spans], _PIECE_THREADS)

    def _fill_one(self, offset: int, view: memoryview) -> None:
        data = self.read(offset, offset + len(view))
        if len(data) != len(view):
            raise StoreError(f"{self._key} in {self._store.url} is cut off: {len(data)} of {len(view)} bytes")
        view[:] = data
