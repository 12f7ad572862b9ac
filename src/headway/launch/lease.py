"""The launcher's claim on a run: one object, taken by a conditional write, kept by renewing it in time.

No two machines' clocks are compared to decide whose a run is. Who wants one that is not free for certain
watches its claim (:func:`~headway.launch.keeper.take`): what stands still for as long as a claim lasts, by the
watcher's own clock, is nobody's any more. The times in a claim are for people, and say at most whether
watching it is worth the wait.

The lease keeps a second launcher out; what makes a launcher harmless that lost it unseen (a laptop
that slept) are the conditional writes of records and journal windows.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from socket import gethostname
from uuid import uuid4

from msgspec import Struct, convert
from msgspec.structs import asdict, replace

from headway.errors import HeadwayError, KeyExistsError, KeyNotFoundError, StoreError
from headway.store.base import ObjectStore
from headway.store.layout import lease as lease_key
from headway.store.records import encode

#: How long a lease lasts unless renewed.
DURATION_SECONDS = 60.0
#: How often the launcher should renew it.
RENEW_SECONDS = 15.0

#: A lost reply or a competitor that gave up costs one more try; more than two in a row are a fight.
_TRIES = 3


class LeaseHeldError(HeadwayError):
    """Another launcher drives the run."""

    headline = "Run is in use"


class LeaseLostError(HeadwayError):
    """Another launcher has taken the run over: this one must not decide anything more."""

    headline = "Run was taken over"


class Holder(Struct, frozen=True):
    """Who drives a run.

    Attributes:
        id: Unique to this launcher.
        host: The machine it runs on.
        pid: Its process there.
        user: Who started it.
        place: Where its process id means something, see :func:`process_place`; "" where that is unknown.
    """

    id: str
    host: str
    pid: int
    user: str
    place: str = ""

    @classmethod
    def here(cls, user: str | None = None) -> "Holder":
        """This process, under an id of its own."""
        if user is None:
            from getpass import getuser  # a run knows its user

            user = getuser()
        return cls(uuid4().hex, gethostname(), os.getpid(), user, process_place())


def process_place() -> str:
    """Names the one table of processes that this process stands in: this boot, this PID namespace.

    Returns:
        "" where the system does not tell.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


class LeaseRecord(Struct, frozen=True):
    """The lease as it stands in the datastore.

    Attributes:
        holder: The holder's id.
        host: The holder's machine.
        pid: The holder's process.
        user: Who started the holder.
        acquired: When it took the run, seconds since the epoch by its own clock.
        expires: Until when it holds the run, by the same clock; in the past once it was released.
        beat: Counts the renewals, so that a reader sees it live, whatever the clocks say.
        place: Where the process id means something, "" where that is unknown.
        released: Whether the holder gave the run back.
    """

    holder: str
    host: str
    pid: int
    user: str
    acquired: float
    expires: float
    beat: int
    place: str = ""
    released: bool = False

    @property
    def is_free(self) -> bool:
        """Whether nobody drives the run for certain: it was given back, or its holder was a process here that is gone."""
        return self.released or self._is_gone()

    def seems_over(self, now: float) -> bool:
        """Whether nobody drives the run as far as clocks tell, of which the holder's may be off.

        Args:
            now: Seconds since the epoch.
        """
        return self.is_free or self.expires <= now

    def seems_held(self, now: float) -> bool:
        """Whether somebody drives the run as far as clocks tell; not where they cannot agree.

        Args:
            now: Seconds since the epoch.
        """
        return not self.is_free and now < self.expires <= now + DURATION_SECONDS

    def _is_gone(self) -> bool:
        if not self.place or self.place != process_place():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            # It is there, and somebody else's.
            return False
        return False

    @property
    def owner(self) -> str:
        """The holder, for people."""
        return f"{self.user} on {self.host} (process {self.pid})"

    def encode(self) -> bytes:
        """As JSON."""
        return encode(asdict(self))

    @classmethod
    def decode(cls, data: bytes) -> "LeaseRecord":
        """From JSON; a field that a newer version added is ignored."""
        return convert(json.loads(data), type=cls)


class Lease:
    """One launcher's claim on one run; synchronous, not safe to use from two threads at once.

    Args:
        store: The run's datastore.
        flow: The flow's name.
        run: The run's id.
        holder: Who claims it.
        clock: Seconds since the epoch.
        steady: Seconds of a clock that never jumps.
    """

    def __init__(
        self,
        store: ObjectStore,
        flow: str,
        run: str,
        holder: Holder,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._key = lease_key(flow, run)
        self._pathspec = f"{flow}/{run}"
        self._holder = holder
        self._clock = clock
        self._steady = steady
        # What this launcher holds as far as it knows; the tag of that version, None where a write gave none.
        self._record: LeaseRecord | None = None
        self._tag: str | None = None
        # When the last claim was asked for, and until when the one that stands holds the run, by the steady clock.
        self._asked = self._until = 0.0

    @property
    def remaining(self) -> float:
        """Seconds left; at 0 or below the launcher must decide nothing before a renewal succeeded."""
        return self._until - self._steady() if self._record else 0.0

    def doubtful(self) -> LeaseRecord | None:
        """Whose claim only watching can tell to be over: neither free for certain nor held as far as clocks tell."""
        stored = self._read()
        if stored is None or stored[0].is_free or stored[0].holder == self._holder.id:
            return None
        return None if stored[0].seems_held(self._clock()) else stored[0]

    def stands(self, watched: LeaseRecord) -> bool:
        """Whether another launcher's claim is still as it was when it began to be watched."""
        stored = self._read()
        return stored is not None and stored[0] == watched

    def acquire(self, watched: LeaseRecord | None = None) -> None:
        """Take the run, if it is free for certain or its claim was watched for long enough.

        Args:
            watched: The claim that stood still for as long as claims last.

        Raises:
            LeaseHeldError: Another launcher holds it, or may.
        """
        for _ in range(_TRIES):
            mine = self._claim(None, 0)
            try:
                self._store.put_if_absent(self._key, mine.encode())
            except KeyExistsError:
                stored = self._read()
            else:
                self._hold(mine, None)
                return
            if stored is None:
                continue
            if stored[0].holder == self._holder.id:
                self._hold(*stored)
                if stored[0] != mine:
                    self.renew()  # it was ours before
                return
            if not stored[0].is_free and stored[0] != watched:
                raise self._held_by(stored[0])
            if self._replace(mine, stored[1]):
                return
        raise LeaseHeldError(*self._contended())

    def renew(self) -> None:
        """Hold the run for another while. Possible after the time ran out too, as long as nobody took over.

        Raises:
            LeaseLostError: Somebody did, or the lease was never acquired.
        """
        for _ in range(_TRIES):
            record, tag = self._mine()
            renewed = self._claim(record.acquired, record.beat + 1)
            if self._replace(renewed, tag):
                return
            # Perhaps an earlier renewal failed after it had arrived: then the version in place is ours.
            self._tag = None
        raise LeaseLostError(*self._contended())

    def release(self) -> None:
        """Give the run back, so that the next launcher need not wait. Without effect if it is lost."""
        if self._record is None:
            return
        try:
            record, tag = self._mine()
        except LeaseLostError:
            return
        self._replace(replace(record, expires=self._clock(), released=True), tag)
        self._record = self._tag = None

    def _claim(self, acquired: float | None, beat: int) -> LeaseRecord:
        holder = self._holder
        # From before it is written: whoever watches it begins later, and waits longer.
        self._asked = self._steady()
        now = self._clock()
        since = now if acquired is None else acquired
        return LeaseRecord(
            holder.id,
            holder.host,
            holder.pid,
            holder.user,
            since,
            now + DURATION_SECONDS,
            beat,
            holder.place,
        )

    def _hold(self, record: LeaseRecord, tag: str | None) -> None:
        self._record, self._tag = record, tag
        self._until = self._asked + DURATION_SECONDS

    def _mine(self) -> tuple[LeaseRecord, str]:
        """The version that this launcher wrote last, and its tag."""
        if self._record is not None and self._tag is not None:
            return self._record, self._tag
        stored = self._read() if self._record else None
        if stored is None or stored[0].holder != self._holder.id:
            self._record = self._tag = None
            raise self._lost_to(stored[0] if stored else None)
        self._record, self._tag = stored
        return stored

    def _read(self) -> tuple[LeaseRecord, str] | None:
        return _read_tagged(self._store, self._key)

    def _replace(self, record: LeaseRecord, tag: str) -> bool:
        try:
            new_tag = self._store.replace(self._key, record.encode(), tag)
        except (KeyExistsError, KeyNotFoundError):
            # A store that repeats a write whose reply was lost finds our own record in place.
            stored = self._read()
            if stored is None or stored[0] != record:
                return False
            new_tag = stored[1]
        self._hold(record, new_tag)
        return True

    def _held_by(self, other: LeaseRecord) -> LeaseHeldError:
        return LeaseHeldError(
            f"Run {self._pathspec} is driven by another launcher: {other.owner}, "
            f"since {_utc(other.acquired)}.",
            f"If that launcher is dead, try again in {DURATION_SECONDS:.0f} seconds. "
            f"If it lives, stop it first (kill {other.pid} on {other.host}).",
        )

    def _lost_to(self, other: LeaseRecord | None) -> LeaseLostError:
        by = f"{other.owner} took it over at {_utc(other.acquired)}" if other else "its lease is gone"
        return LeaseLostError(
            f"This launcher no longer drives run {self._pathspec}: {by}.",
            "Nothing more is started from here; follow the run where it is driven now.",
        )

    def _contended(self) -> tuple[str, str]:
        return (
            f"The lease of run {self._pathspec} changes hands faster than it can be taken.",
            "Several launchers want this run: stop all but one.",
        )


def read_lease(store: ObjectStore, flow: str, run: str) -> LeaseRecord | None:
    """The lease of a run as it stands, None if the run never had one."""
    stored = _read_tagged(store, lease_key(flow, run))
    return stored[0] if stored else None


def _read_tagged(store: ObjectStore, key: str) -> tuple[LeaseRecord, str] | None:
    try:
        data, tag = store.get_tagged(key)
    except KeyNotFoundError:
        return None
    try:
        return LeaseRecord.decode(data), tag
    except ValueError as e:
        raise StoreError(
            f"The lease at {store.url}/{key} is not readable: {e}.",
            "Something else than Headway wrote it; delete the object if no launcher drives the run.",
        ) from e


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
