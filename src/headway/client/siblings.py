"""Reading ahead: whoever asks one task after another for the same thing gets the next ones fetched along.

From S3 a thousand small reads, one after the other, take seconds; side by side they take less than one.
"""

from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple

from headway.client.run_data import RunData
from headway.client.stores import is_near
from headway.errors import HeadwayError
from headway.store.records import AttemptRef, Record

#: At most so many are fetched at a time.
_MOST = 256
#: Larger values are fetched when asked for, not before.
_SMALL = 64 << 10


class Window:
    """Which places to read for one that is asked for.

    The first question, and any that does not follow on, reads its own place alone; each one that
    goes on where the last reading ended reads four times as many.

    Args:
        length: How many places there are.
        most: At most so many at a time.
    """

    def __init__(self, length: int, most: int = _MOST) -> None:
        self._length = length
        self._most = most
        self._next = -1
        self._span = 1

    def take(self, place: int) -> range:
        """The places to read now, the one asked for first."""
        self._span = min(self._span * 4, self._most) if place == self._next else 1
        self._next = min(place + self._span, self._length)
        return range(place, self._next)


class Siblings:
    """Attempts that were listed together, in the order in which they were listed.

    Args:
        run: Their run.
        refs: The attempts.
    """

    def __init__(self, run: RunData, refs: Sequence[AttemptRef]) -> None:
        self._run = run
        self._refs = refs
        #: Nothing is read ahead where that gains nothing.
        self._near = is_near(run.store)
        self._records = Window(len(refs))
        self._windows: Dict[str, Window] = {}
        #: Values read ahead and not asked for yet; each is given out once.
        self._values: Dict[Tuple[int, str], Any] = {}
        self._read: Dict[int, Optional[Record]] = {}

    def record(self, place: int) -> Optional[Record]:
        """The record of one of them, None where it left none when it was read."""
        if self._near:
            return self._run.record_of(self._refs[place])
        if place not in self._read:
            places = self._records.take(place)
            self._read.update(zip(places, self._run.records_of(self._refs[at] for at in places)))
        return self._read[place]

    def value(self, place: int, name: str) -> Any:
        """The value of an artifact that this one has."""
        if (place, name) in self._values:
            return self._values.pop((place, name))
        record = self.record(place)
        assert record is not None, "who has the artifact has a record"
        ref = record.artifacts[name]
        if not self._near and not ref.pickled:
            window = self._windows.setdefault(name, Window(len(self._refs)))
            ahead = [at for at in window.take(place) if at != place]
            for at, found in zip(ahead, self._run.together([partial(self._small, at, name) for at in ahead])):
                self._values.update(((at, name), value) for value in found)
        return self._run.artifacts.load(name, ref)

    def _small(self, place: int, name: str) -> List[Any]:
        """The value in a list, or an empty one: what cannot be read is told to whoever asks for it."""
        try:
            record = self._run.record_of(self._refs[place])
            ref = record.artifacts.get(name) if record is not None else None
            return [] if ref is None or ref.size > _SMALL else [self._run.artifacts.load(name, ref)]
        except HeadwayError:
            return []
