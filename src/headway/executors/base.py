"""What every executor is to the launcher: batches go in, events about attempts come out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from headway.errors import HeadwayError
from headway.store.batch import Batch
from headway.store.records import AttemptRef, Failure, Record


class Started(Struct, frozen=True):
    """The attempt's process or pod runs.

    Attributes:
        ref: Which attempt.
        where: For people: the pod's name or the process id.
        facts: Metadata known at the start.
    """

    ref: AttemptRef
    where: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Output(Struct, frozen=True):
    """Lines that the attempt printed: (stream, seconds since the epoch, text)."""

    ref: AttemptRef
    lines: tuple[tuple[str, float, str], ...]


class Ended(Struct, frozen=True):
    """The attempt is over and its record is in place."""

    ref: AttemptRef
    record: Record


class Waiting(Struct, frozen=True):
    """Why something stands still, in words, or that it goes on.

    Attributes:
        step: The step it is about, "" for the whole run.
        ref: One attempt of it, None if it is about all.
        reason: A word for machines; "" once the trouble is over.
        message: For people.
        hint: What a person can do about it, "" where they cannot do anything.
    """

    step: str
    ref: AttemptRef | None
    reason: str
    message: str
    hint: str = ""


def datastore_away(step: str, ref: AttemptRef | None, error: HeadwayError) -> Waiting:
    """Something stands still because the datastore does not answer, or takes nothing.

    Args:
        step: The step, "" for the run as a whole.
        ref: Which attempt, None for all of the step.
        error: What the datastore said.
    """
    return Waiting(step, ref, "Datastore", error.message, error.hint or "")


class Broken(Struct, frozen=True):
    """The executor itself cannot go on."""

    error: BaseException


class StopAsked(Struct, frozen=True):
    """Somebody asks, where attempts run, for the run to stop.

    Attributes:
        who: In words.
    """

    who: str


class Adoption(Struct, frozen=True):
    """A batch of another launcher, which is dead.

    Attributes:
        batch: What it started, or was about to start; where its own words are in the datastore, they count.
        refs: The attempts that nobody knows an end of.
        recorded: Those of them that have a record.
    """

    batch: Batch
    refs: frozenset[AttemptRef]
    recorded: frozenset[AttemptRef]


ExecutorEvent = Started | Output | Ended | Waiting | StopAsked | Broken
Sink = Callable[[ExecutorEvent], None]


class Executor(Protocol):
    """Starts attempts and says what becomes of them; every attempt that was started ends in one ``Ended``."""

    async def open(self, sink: Sink) -> None:
        """Get ready; everything that can be found wrong before an attempt exists is found here."""
        ...

    async def start(self, batch: Batch) -> None:
        """Take over the batch's attempts; returns once they are in hand, not once they run."""
        ...

    async def adopt(self, adoptions: Sequence[Adoption]) -> None:
        """Go on with what another launcher started; called once, after ``open``.

        Every attempt ends in an ``Ended``, as if it had been started here. What cannot be gone on with ends
        as lost to the infrastructure; what was never begun is begun.
        """
        ...

    async def cancel(self, refs: tuple[AttemptRef, ...], failure: Failure, *, now: bool = False) -> None:
        """End these attempts; each still ends in an ``Ended``, with this failure where it left no record.

        Args:
            refs: The attempts; unknown or ended ones are ignored.
            failure: Why, for the record.
            now: Without the grace that the step was promised.
        """
        ...

    async def close(self, *, now: bool = False) -> None:
        """Leave nothing running and nothing open."""
        ...

    async def let_go(self) -> None:
        """Leave nothing open, and touch nothing that another launcher may drive by now.

        No object of the run is changed or deleted and no attempt is settled. What only this process can
        drive (its own children) ends without a result.
        """
        ...
