"""What a failed attempt had set when it failed, stored so that people can look at it. Loaded only then.

Nothing that runs reads it: who tries again, joins, resumes or goes on in place of the step takes what came
before the step. So all of it is effort within bounds. It is begun once the failure has been reported, ends
after a minute, takes only so much memory, and leaves out what cannot be stored, which is said in the log and
in the attempt's metadata.
"""

import json
import signal
import sys
from types import FrameType, TracebackType
from typing import Any, Callable, Dict, List, Mapping, Optional, Type

from headway.errors import StoreError
from headway.flow.spec import inherited, produced
from headway.runtime import usage
from headway.runtime.channel import Report
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Batch
from headway.store.records import NOT_KEPT, RESOURCES, USER, ArtifactRef
from headway.store.room import Room, TooLargeError
from headway.store.serialize import Blob, dump_within, type_name

#: Seconds after which a failure is told, whatever is stored by then.
PATIENCE = 60.0
#: Nothing larger is stored, in bytes; in a container nothing larger than this part of the memory still free.
LARGEST, PART = 1_000_000_000, 4

#: What is no larger is stored side by side and first; of that so much is held at a time.
_SMALL, _TOGETHER = 4_000_000, 32_000_000

#: Of so many artifacts it is told why they are not kept, in words of so many characters.
_MOST_TOLD, _LONGEST = 50, 200


class _TimeIsUp(BaseException):
    """Raised wherever the storing stands; no part of it takes it for an error of its own."""


class _Limit:
    """Raises :class:`_TimeIsUp` in the main thread once the time is up, and again until it is left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._handler = signal.signal(signal.SIGALRM, self._expired)
        self._timer = signal.setitimer(signal.ITIMER_REAL, self._seconds, 1.0)

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        # First of all, so that none comes once nobody waits for it.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, *self._timer)
        # As the step left it.
        signal.signal(signal.SIGALRM, signal.SIG_DFL if self._handler is None else self._handler)

    def _expired(self, number: int, frame: Optional[FrameType]) -> None:
        raise _TimeIsUp


def with_what_was_set(
    flow: Any,
    batch: Batch,
    store: ObjectStore,
    report: Report,
    tell: Callable[[Report], None],
    seconds: float = PATIENCE,
) -> Report:
    """The report of a failed attempt, with what its step had set and what it had inherited.

    Args:
        flow: The flow object, as the step left it.
        batch: Its batch.
        store: The datastore.
        report: What is known so far.
        tell: Called with it before anything is stored, and with more as more is.
        seconds: The time for it.
    """
    tell(report)
    if report.failure is None or report.failure.kind not in (USER, RESOURCES):
        # Most likely it is the datastore that failed.
        return report
    salvage = _Salvage(ArtifactStore(store, batch.flow), report, tell)
    try:
        with _Limit(seconds):
            salvage.work(flow)
    except _TimeIsUp:
        salvage.give_up(f"{seconds:g} seconds were not enough to store it")
    return salvage.report()


def without_unpicklable(made: Mapping[str, object]) -> Dict[str, object]:
    """What can be pickled of what a step had set that failed and is caught; of the rest the log tells."""
    kept = dict(made)
    for name, value in made.items():
        try:
            dump_within(value, Room(sys.maxsize))
        except Exception as error:  # a user's class may raise anything
            del kept[name]
            _say(name, _words(value, error))
    return kept


class _Salvage:
    """The work on one attempt; whenever it is interrupted, what is done of it stands here."""

    def __init__(self, artifacts: ArtifactStore, report: Report, tell: Callable[[Report], None]) -> None:
        self._artifacts = artifacts
        self._report = report
        self._tell = tell
        self._kept: Dict[str, ArtifactRef] = {}
        #: What is not stored (yet): why, where that is known.
        self._left: Dict[str, str] = {}

    def work(self, flow: Any) -> None:
        """Store what can be; the small first."""
        values = produced(flow)
        self._left = dict.fromkeys(values, "")
        try:
            self._kept.update(inherited(flow))
            for name in self._store_small(values):
                self._store_large(name, values[name])
        except StoreError as error:
            self.give_up(error.message)

    def give_up(self, why: str) -> None:
        """Nothing more is stored."""
        self._left.update((name, why) for name, known in self._left.items() if not known)

    def report(self) -> Report:
        """The report with all that was stored, and with what was not."""
        told = dict(list(self._left.items())[:_MOST_TOLD])
        failure = self._report.failure
        for name, why in told.items():
            # Where it is what failed, it has been said.
            if failure is None or not failure.message.startswith(f"self.{name} "):
                _say(name, why)
        facts = {NOT_KEPT: json.dumps(told)} if told else {}
        return self._report._replace(artifacts=self._kept, facts=facts)

    def _store_small(self, values: Mapping[str, object]) -> List[str]:
        """Store what is small, several at a time; the names of what is larger."""
        larger: List[str] = []
        most = _largest()
        blobs: Dict[str, Blob] = {}
        held = 0
        for name, value in values.items():
            try:
                blobs[name] = dump_within(value, Room(min(_SMALL, most)))
            except TooLargeError:
                larger.append(name)
            except Exception as error:  # a user's class may raise anything
                self._left[name] = _words(value, error)
            else:
                held += blobs[name].size
            if held > min(_TOGETHER, most):
                self._save(blobs)
                blobs, held = {}, 0
        self._save(blobs)
        return larger

    def _store_large(self, name: str, value: object) -> None:
        most = _largest()
        try:
            blob = dump_within(value, Room(most))
        except TooLargeError:
            part = "" if most == LARGEST else ", a quarter of what the container has left"
            self._left[name] = f"it is larger than {most / 1e6:.3g} MB{part}"
        except Exception as error:  # as above
            self._left[name] = _words(value, error)
        else:
            self._save({name: blob})

    def _save(self, blobs: Mapping[str, Blob]) -> None:
        if not blobs:
            return
        self._kept.update(self._artifacts.save_blobs(blobs, self._kept.values()))
        for name in blobs:
            del self._left[name]
        self._tell(self._report._replace(artifacts=self._kept))


def _largest() -> int:
    """The most bytes that a value may have: in a container no more than can be held twice without danger."""
    free = usage.free_memory()
    return LARGEST if free is None else min(LARGEST, free // PART)


def _words(value: object, error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
    return f"a value of type {type_name(value)} cannot be pickled ({text})"


def _say(name: str, why: str) -> None:
    """Say it in the attempt's log."""
    try:
        sys.stderr.write(f"self.{name} is not kept of this attempt: {why}.\n")
    except (OSError, ValueError, AttributeError):
        # The step closed or replaced its streams; the attempt's metadata says it too.
        return
