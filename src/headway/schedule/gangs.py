"""What the ends of a gang's ranks mean for the gang: one decision, once the last of them has ended."""

from collections.abc import Mapping

from msgspec import Struct

from headway.schedule.plan import FALLBACK_ATTEMPTS, Plan, StepPolicy, infrastructure_delay
from headway.schedule.tasks import Gang, TaskState, TaskTable
from headway.schedule.transitions import Arrival, Start, TransitionError, advance
from headway.store.records import AttemptRef


class GangSucceeded(Struct, frozen=True):
    """Every rank did.

    Attributes:
        ways: What follows from which attempt: each rank's own where the ranks are splits, else rank 0's for all.
    """

    ways: tuple[tuple[AttemptRef, tuple[Start | Arrival, ...]], ...] = ()


class GangFailed(Struct, frozen=True):
    """It has failed for good.

    Attributes:
        ref: The rank that answers for it: the first that failed.
        message: Why, for people.
        hint: What to do about it, or "".
    """

    ref: AttemptRef
    message: str
    hint: str


class GangAgain(Struct, frozen=True):
    """All of it is to be tried again, after so many seconds; as its fallback where its code has failed for good."""

    delay: float
    fallback: bool = False


class GangStopped(Struct, frozen=True):
    """No rank failed by itself: the run stops, and the gang with it."""


GangEnd = GangSucceeded | GangFailed | GangAgain | GangStopped


class GangEnds:
    """Decides on the gangs of one run.

    Args:
        plan: The flow's shape.
        policies: By step, how often it may be tried again.
        tasks: The run's tasks; those of a gang that is over are finished here.
    """

    def __init__(self, plan: Plan, policies: Mapping[str, StepPolicy], tasks: TaskTable) -> None:
        self._plan = plan
        self._policies = policies
        self._tasks = tasks

    def decide(self, gang: Gang, *, stopping: bool) -> GangEnd | None:
        """What becomes of a gang of which a rank has just ended; None while others go on.

        Args:
            gang: The gang.
            stopping: Whether the run starts nothing more.
        """
        if not gang.over:
            return None
        if gang.succeeded:
            return self._succeeded(gang, stopping)
        first = gang.first_failure()
        if first is None:
            self._give_up(gang, set())
            return GangStopped()
        rank, failure = first.rank, first.failure
        ref, step = gang.tasks[rank].ref, gang.control.cohort.step
        policy = self._policies[step]
        pool = policy.pool(failure)
        earlier = gang.control.spend(pool, first.ran)
        if not stopping and not gang.control.fallbacks and earlier < policy.budget(pool):
            return self._again(gang, GangAgain(policy.retry_delay(pool, earlier)))
        tried = gang.control.fallbacks
        if policy.fallback and not stopping and tried < FALLBACK_ATTEMPTS:
            gang.control.fallbacks += 1
            return self._again(
                gang, GangAgain(infrastructure_delay(tried - 1) if tried else 0.0, fallback=True)
            )
        tries = f" after {ref.attempt + 1} attempts" if ref.attempt else ""
        words = f"{step}/{ref.task} failed{tries}, the first of {len(gang.tasks)} ranks: {failure.message}"
        self._give_up(gang, {each.rank for each in gang.failures})
        return GangFailed(ref, words, failure.hint)

    def _again(self, gang: Gang, again: GangAgain) -> GangAgain:
        gang.again()
        for task in gang.tasks:
            self._tasks.move(task, TaskState.RETRYING)
        return again

    def _succeeded(self, gang: Gang, stopping: bool) -> GangEnd:
        control = gang.control
        # By num_parallel every rank is a split of its own; else what rank 0 said is said for all.
        leading = gang.tasks if control.cohort.ranks else [control]
        ways: tuple[tuple[AttemptRef, tuple[Start | Arrival, ...]], ...] = ()
        if not stopping or self._plan.nodes[control.cohort.step].end:
            try:
                ways = tuple(
                    (task.ref, tuple(advance(self._plan, task.ref, task.frames, gang.transitions[rank])))
                    for rank, task in enumerate(leading)
                )
            except TransitionError as e:
                self._give_up(gang, {0})
                words = f"{control.cohort.step}/{control.name} failed: {e}."
                return GangFailed(control.ref, words, e.hint)
        for task in gang.tasks:
            self._tasks.finish(task, TaskState.SUCCEEDED)
        return GangSucceeded(ways)

    def _give_up(self, gang: Gang, failed: set[int]) -> None:
        """The gang is over for good; ranks that succeeded alone count for nothing."""
        for rank, task in enumerate(gang.tasks):
            self._tasks.finish(task, TaskState.FAILED if rank in failed else TaskState.CANCELLED)
