"""Where a run stands that another launcher drove: its journal, replayed."""

from collections.abc import Container, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from headway.errors import HeadwayError, UsageError
from headway.launch.journal import Decision, Entry
from headway.schedule.events import RunStarted, UnexpectedEventError
from headway.schedule.instructions import CancelAttempts, RunEnded, ScheduleRetry, StartBatch
from headway.schedule.plan import Plan, StepPolicy
from headway.schedule.scheduler import Scheduler
from headway.store.records import AttemptRef


class NotTakenOverError(HeadwayError):
    """A run could not be taken over, and stays as its dead launcher left it.

    Args:
        error: What stood in the way.
    """

    headline = "Run not taken over"

    def __init__(self, error: Exception) -> None:
        words = error.message if isinstance(error, HeadwayError) else f"{type(error).__name__}: {error}"
        super().__init__(
            f"The run stays as it was, because it could not be found out how it stands: {words}",
            (error.hint if isinstance(error, HeadwayError) else None)
            or "Once that is mended, attach again; pods that run go on meanwhile.",
        )


class Unfinished(Struct, frozen=True):
    """A batch that was started, or about to be, and what of it the journal knows no end of.

    Attributes:
        batch: As the scheduler asked for it.
        refs: The attempts that have not ended.
    """

    batch: StartBatch
    refs: frozenset[AttemptRef]

    def without(self, done: Container[AttemptRef]) -> StartBatch:
        """What of it nobody knows anything of; of a gang all of it or nothing."""
        left = tuple(
            task
            for task in self.batch.tasks
            if (ref := AttemptRef(self.batch.step, task.task, task.attempt)) in self.refs and ref not in done
        )
        if self.batch.gang and len(left) < len(self.batch.tasks):
            left = ()
        return replace(self.batch, tasks=left)


class Standing(Struct, frozen=True):
    """A run's state between two events.

    Attributes:
        scheduler: Where the dead launcher's stood.
        begun: Whether the run had started.
        unfinished: What was under way.
        waits: The attempts whose retry is still to come, and after how many seconds each was to start.
        cancelled: Attempts that were asked to stop, and why; some of them may not know.
        ended: How the run had ended already, though nobody wrote that down.
    """

    scheduler: Scheduler
    begun: bool
    unfinished: tuple[Unfinished, ...]
    waits: Mapping[AttemptRef, float]
    cancelled: Mapping[AttemptRef, str]
    ended: RunEnded | None


def replay(plan: Plan, policies: Mapping[str, StepPolicy], entries: Iterable[Entry]) -> Standing:
    """The state that a journal leads to.

    Args:
        plan: The flow's shape, as it was.
        policies: How often each step may be tried again, as it was.
        entries: The journal.

    Raises:
        UsageError: The journal is of another plan.
    """
    scheduler = Scheduler(plan, policies)
    begun = False
    batches: dict[AttemptRef, StartBatch] = {}
    delays: dict[AttemptRef, float] = {}
    reasons: dict[AttemptRef, str] = {}
    ended: RunEnded | None = None
    for entry in entries:
        if isinstance(entry, Decision):
            continue
        begun = begun or isinstance(entry, RunStarted)
        try:
            instructions = scheduler.handle(entry)
        except (UnexpectedEventError, KeyError) as error:
            raise UsageError(
                f"What happened in this run does not fit the flow's plan: {error}.",
                "A setting that decides about retries has changed since, or another version of Headway "
                "drove the run. It can be resumed: resume --origin-run-id.",
            ) from error
        for instruction in instructions:
            match instruction:
                case StartBatch():
                    refs = (
                        AttemptRef(instruction.step, spec.task, spec.attempt) for spec in instruction.tasks
                    )
                    batches.update(dict.fromkeys(refs, instruction))
                case ScheduleRetry(ref, delay):
                    delays[ref] = delay
                case CancelAttempts(refs, reason):
                    reasons.update(dict.fromkeys(refs, reason))
                case RunEnded():
                    ended = instruction
    under_way: dict[str, set[AttemptRef]] = {}
    for ref in scheduler.active():
        under_way.setdefault(batches[ref].name, set()).add(ref)
    by_name = {batch.name: batch for batch in batches.values()}
    return Standing(
        scheduler,
        begun,
        tuple(Unfinished(by_name[name], frozenset(refs)) for name, refs in under_way.items()),
        {ref: delays[ref] for ref in scheduler.retrying()},
        {ref: reason for ref, reason in reasons.items() if any(ref in refs for refs in under_way.values())},
        ended,
    )
