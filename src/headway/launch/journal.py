"""The journal: what happened to a run and what its launcher decided, in the datastore beside it.

One object per window under ``journal/``, numbered without a gap; each is a header line and one JSON
line per entry. Replaying the events into a fresh scheduler gives the state the launcher stood in.

A window is created by a conditional write, so two launchers cannot both write the same number: the
journal is the fence that a lease alone would not be. A launcher that takes a run over
therefore writes a window before it decides anything.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

from msgspec import Struct, convert, field

from headway.errors import KeyExistsError, StoreError
from headway.launch.lease import LeaseLostError
from headway.schedule.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    Event,
    RetriesDue,
    RetryDue,
    RunStarted,
    StopRequested,
)
from headway.store.base import ObjectStore
from headway.store.layout import journal as journal_folder
from headway.store.records import encode

FORMAT = 1


class Decision(Struct, frozen=True):
    """Something the launcher did that no scheduler event tells: a Job created, an attempt written off.

    Attributes:
        what: One word ("submitted", "lost", "attached", …).
        data: Its particulars; only what JSON can hold, and a tuple comes back as a list.
    """

    what: str
    data: dict[str, Any] = field(default_factory=dict)


Entry = Event | Decision

_TYPES: Mapping[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        RunStarted,
        AttemptStarted,
        AttemptSucceeded,
        AttemptFailed,
        AttemptCancelled,
        RetryDue,
        RetriesDue,
        StopRequested,
        Decision,
    )
}


class Journal:
    """Writes one run's journal. ``append`` may be called while another thread is in ``flush``.

    Args:
        store: The run's datastore.
        flow: The flow's name.
        run: The run's id.
        holder: The launcher's id, written into every window.
        clock: Seconds since the epoch; each window says when it was written.
        window: The number of the first window to write; :meth:`reopen` finds it for a run that has some.
    """

    def __init__(
        self,
        store: ObjectStore,
        flow: str,
        run: str,
        holder: str = "",
        clock: Callable[[], float] = time.time,
        window: int = 0,
    ) -> None:
        self._store = store
        self._folder = journal_folder(flow, run)
        self._pathspec = f"{flow}/{run}"
        self._holder = holder
        self._clock = clock
        self._window = window
        self._buffer: list[Entry] = []
        # On their way: after a failed write nobody knows whether they arrived, so they stay as they are.
        self._sealed: bytes | None = None
        self._buffer_lock = Lock()
        self._flush_lock = Lock()

    @classmethod
    def reopen(
        cls,
        store: ObjectStore,
        flow: str,
        run: str,
        holder: str = "",
        clock: Callable[[], float] = time.time,
    ) -> "tuple[Journal, list[Entry]]":
        """The journal of a run that another launcher began, ready to go on, and its entries so far."""
        windows = list(_windows(store, flow, run))
        entries = [entry for window in windows for entry in window]
        return cls(store, flow, run, holder, clock, window=len(windows)), entries

    def append(self, entry: Entry) -> None:
        """Note an entry for the next window; nothing is written yet."""
        with self._buffer_lock:
            self._buffer.append(entry)

    def flush(self) -> None:
        """Write what was appended as one window; nothing if nothing was.

        After a StoreError the same call may be repeated: no entry is lost or written twice.

        Raises:
            LeaseLostError: Another launcher wrote this window: it drives the run now.
            StoreError: The store failed.
        """
        with self._flush_lock:
            if self._sealed is not None:
                self._write(self._sealed)
            with self._buffer_lock:
                entries, self._buffer = self._buffer, []
            if entries:
                self._sealed = self._encode(entries)
                self._write(self._sealed)

    def _encode(self, entries: list[Entry]) -> bytes:
        header = {"format": FORMAT, "at": self._clock(), "holder": self._holder}
        return b"\n".join([encode(header), *map(encode_entry, entries)]) + b"\n"

    def _write(self, data: bytes) -> None:
        key = _key(self._folder, self._window)
        try:
            self._store.put_if_absent(key, data)
        except KeyExistsError as e:
            # A write whose reply was lost, repeated here or by the store, finds itself in place.
            if self._store.get(key) != data:
                raise LeaseLostError(
                    f"This launcher no longer drives run {self._pathspec}: another one wrote {key}.",
                    "Nothing more is started from here; follow the run where it is driven now.",
                ) from e
        self._window += 1
        self._sealed = None


def read_journal(store: ObjectStore, flow: str, run: str) -> list[Entry]:
    """Every entry of a run's journal, in order; empty if it has none.

    Raises:
        StoreError: A window is missing or cannot be read.
    """
    return [entry for window in _windows(store, flow, run) for entry in window]


def first_window(store: ObjectStore, flow: str, run: str) -> list[Entry]:
    """What a run's first launcher wrote down first; empty if it came to nothing."""
    return next(_windows(store, flow, run), [])


def encode_entry(entry: Entry) -> bytes:
    """One entry as a line of JSON, without the line's end."""
    return encode(
        {"entry": type(entry).__name__, **{name: getattr(entry, name) for name in entry.__struct_fields__}}
    )


def decode_entry(line: bytes) -> Entry:
    """The entry of a line; fields not known here are ignored.

    Raises:
        ValueError: The line is no entry, or of a kind that only a newer version knows.
    """
    raw = _json_object(line)
    name = raw.pop("entry", None)
    if name not in _TYPES:
        raise ValueError(f"unknown journal entry {name!r}")
    entry: Entry = convert(raw, type=_TYPES[name])
    return entry


def _windows(store: ObjectStore, flow: str, run: str) -> Iterator[list[Entry]]:
    folder = journal_folder(flow, run)
    for number, info in enumerate(store.list(folder)):
        key = _key(folder, number)
        if info.key != key:
            raise StoreError(
                f"The journal of run {flow}/{run} has a gap: {key} is missing.",
                "Objects were deleted by hand or by a lifecycle rule; the run can be resumed, not attached.",
            )
        try:
            yield _decode_window(store.get(key))
        except ValueError as e:
            raise StoreError(
                f"The journal window {store.url}/{key} cannot be read: {e}.",
                "Was the run driven by a newer Headway? Use that version here too.",
            ) from e


def _decode_window(data: bytes) -> list[Entry]:
    header, *lines = data.splitlines()
    written = _json_object(header).get("format")
    if written != FORMAT:
        raise ValueError(f"its format is {written!r}, this version reads {FORMAT}")
    return [decode_entry(line) for line in lines]


def _json_object(line: bytes) -> dict[str, Any]:
    # Not msgspec's parser: an exception's text may hold lone surrogates, which it refuses.
    return convert(json.loads(line), type=dict[str, Any])


def _key(folder: str, number: int) -> str:
    return f"{folder}{number:08d}.json"
