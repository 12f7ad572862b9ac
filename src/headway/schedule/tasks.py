"""The tasks of a run: minted, moved from state to state, counted."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct, field

from headway.schedule.events import UnexpectedEventError
from headway.schedule.plan import MEMORY, begins_anew
from headway.schedule.transitions import Frames, at_index
from headway.store.batch import TaskSpec
from headway.store.records import AttemptRef, Failure, Transition


class TaskState(IntEnum):
    """Where a task stands; the values are the places in :class:`StepCounts`."""

    WAITING = 0
    RUNNING = 1
    RETRYING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5


class StepCounts(NamedTuple):
    """How many tasks of a step stand where.

    Attributes:
        waiting: Handed to an executor, not yet reported as started.
        running: Started.
        retrying: Failed, and waiting for the next attempt.
        succeeded: Done.
        failed: Failed for good.
        cancelled: Stopped because the run stopped.
    """

    waiting: int = 0
    running: int = 0
    retrying: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0


class Cohort(Struct, frozen=True, eq=False):
    """What the siblings of one fan-out share, held once however many they are; compared by identity.

    ``ranks`` says whether they are the ranks of one gang and splits as well (``num_parallel``).
    """

    step: str
    frames: Frames
    inputs: tuple[AttemptRef, ...]
    join: bool
    ranks: bool = False


class Task(Struct, eq=False):
    """A task that is not over: one of a gang is not before all ranks are.

    Attributes:
        name: Its id.
        cohort: What it shares with its siblings.
        index: Its place among them.
        attempt: The attempt that waits, runs, or (while retrying) is still to start.
        state: WAITING, RUNNING or RETRYING.
        fallbacks: How many of its attempts were the fallback; the current one is, if there was any. A gang's stand
            with rank 0.
        spent: Failures so far by budget pool; None until the first. A gang's stand with rank 0.
        gang: The ranks it belongs to, None for a task of its own.
        ended: Whether its current attempt ended while other ranks go on.
    """

    name: str
    cohort: Cohort
    index: int
    attempt: int = 0
    state: TaskState = TaskState.WAITING
    spent: dict[str, int] | None = None
    fallbacks: int = 0
    gang: "Gang | None" = None
    ended: bool = False

    @property
    def ref(self) -> AttemptRef:
        """The current attempt."""
        return AttemptRef(self.cohort.step, self.name, self.attempt)

    @property
    def spec(self) -> TaskSpec:
        """The current attempt, as a batch names it."""
        return TaskSpec(self.name, self.attempt, self.index)

    @property
    def frames(self) -> Frames:
        """The fan-out it stands in, with its own index."""
        return at_index(self.cohort.frames, self.index)

    @property
    def grown(self) -> int:
        """How often it ran out of memory and is to have more."""
        return (self.spent or {}).get(MEMORY, 0)

    def spend(self, pool: str, ran: float = 0.0) -> int:
        """Note a failure on this pool's account and return how many there were before.

        Args:
            pool: The account.
            ran: For how many seconds the attempt had run.
        """
        if self.spent is None:
            self.spent = {}
        earlier = 0 if begins_anew(pool, ran) else self.spent.get(pool, 0)
        self.spent[pool] = earlier + 1
        return earlier


class RankFailure(NamedTuple):
    """How one rank of a gang failed.

    Attributes:
        at: When, by its own clock.
        rank: Which.
        failure: Why.
        ran: For how many seconds it had run.
    """

    at: float
    rank: int
    failure: Failure
    ran: float = 0.0


class Gang(Struct, eq=False):
    """The ranks of one gang: started together, over together, tried again together.

    Attributes:
        tasks: By rank.
        transitions: By rank, what those that succeeded said.
        failures: How each rank failed that did.
    """

    tasks: list[Task] = field(default_factory=list)
    transitions: dict[int, Transition | None] = field(default_factory=dict)
    failures: list[RankFailure] = field(default_factory=list)

    @property
    def control(self) -> Task:
        """Rank 0."""
        return self.tasks[0]

    @property
    def over(self) -> bool:
        """Whether every rank's attempt has ended."""
        return all(task.ended for task in self.tasks)

    @property
    def succeeded(self) -> bool:
        """Whether every rank's attempt succeeded."""
        return len(self.transitions) == len(self.tasks)

    def first_failure(self) -> RankFailure | None:
        """How the rank failed that did so first; None where none failed by itself."""
        return min(self.failures, key=lambda failed: failed[:2], default=None)

    def again(self) -> None:
        """Every rank is to be tried again."""
        self.transitions.clear()
        self.failures.clear()
        for task in self.tasks:
            task.attempt += 1
            task.ended = False


class TaskTable:
    """Every task of the run; of those that are over only the last attempt is kept."""

    def __init__(self, steps: Iterable[str]) -> None:
        self._minted = 0
        self._live: dict[str, Task] = {}
        self._won: dict[str, AttemptRef] = {}
        self._lost: dict[str, AttemptRef] = {}
        self._counts = {step: [0] * len(TaskState) for step in steps}

    def mint(self, cohort: Cohort, indices: range) -> list[Task]:
        """New tasks, one for each index, about to be started."""
        first = self._minted + 1
        self._minted += len(indices)
        tasks = [Task(str(first + i), cohort, index) for i, index in enumerate(indices)]
        self._live.update((task.name, task) for task in tasks)
        self._counts[cohort.step][TaskState.WAITING] += len(tasks)
        return tasks

    def mint_gang(self, cohort: Cohort, indices: Sequence[int], worker: str) -> Gang:
        """The tasks of one gang, by rank; one id is spent, the workers' are made from it."""
        self._minted += 1
        control = str(self._minted)
        gang = Gang()
        for rank, index in enumerate(indices):
            name = worker.format(control=control, rank=rank, worker=rank - 1) if rank else control
            gang.tasks.append(Task(name, cohort, index, gang=gang))
        self._live.update((task.name, task) for task in gang.tasks)
        self._counts[cohort.step][TaskState.WAITING] += len(gang.tasks)
        return gang

    def current(self, ref: AttemptRef) -> Task | None:
        """The live task whose current attempt this is; None if the attempt is over or superseded.

        Raises:
            UnexpectedEventError: No such attempt was ever asked for.
        """
        task = self._live.get(ref.task)
        known = task.ref if task else self._won.get(ref.task) or self._lost.get(ref.task)
        if known is None or known.step != ref.step or not 0 <= ref.attempt <= known.attempt:
            raise UnexpectedEventError(f"{ref.step}/{ref.task} attempt {ref.attempt} was never started")
        return task if ref.attempt == known.attempt else None

    def under_way(self, ref: AttemptRef) -> Task | None:
        """Like :meth:`current`, for an event that only a started attempt can give; None once a rank has ended.

        Raises:
            UnexpectedEventError: It was not started.
        """
        task = self.current(ref)
        if task and task.state is TaskState.RETRYING:
            raise UnexpectedEventError(f"{ref.step}/{ref.task} attempt {ref.attempt} is not started yet")
        return None if task and task.ended else task

    def move(self, task: Task, state: TaskState) -> None:
        """Put a live task into another live state."""
        self._recount(task, state)
        task.state = state

    def finish(self, task: Task, state: TaskState) -> None:
        """The task is over: forget all but its last attempt."""
        self._recount(task, state)
        del self._live[task.name]
        (self._won if state is TaskState.SUCCEEDED else self._lost)[task.name] = task.ref

    def live(self, *states: TaskState) -> list[Task]:
        """The live tasks in one of these states, in the order they were minted."""
        return [task for task in self._live.values() if task.state in states]

    def any_live(self) -> bool:
        """Whether a task waits, runs or is to be tried again."""
        return bool(self._live)

    def counts(self) -> dict[str, StepCounts]:
        """How many tasks of each step stand where."""
        return {step: StepCounts(*counts) for step, counts in self._counts.items()}

    def winners(self) -> dict[str, int]:
        """The number of the attempt that counts, by "step/task", in the order in which they ended."""
        return {f"{ref.step}/{ref.task}": ref.attempt for ref in self._won.values()}

    def _recount(self, task: Task, state: TaskState) -> None:
        counts = self._counts[task.cohort.step]
        counts[task.state] -= 1
        counts[state] += 1
