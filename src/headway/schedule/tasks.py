"""The tasks of a run: minted, moved from state to state, counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from headway.schedule.events import UnexpectedEventError
from headway.schedule.transitions import Frames, at_index
from headway.store.records import AttemptRef, TaskSpec


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


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """What the siblings of one fan-out share, held once however many they are; compared by identity."""

    step: str
    frames: Frames
    inputs: tuple[AttemptRef, ...]
    join: bool


@dataclass(slots=True, eq=False)
class Task:
    """A task that is not over.

    Attributes:
        name: Its id.
        cohort: What it shares with its siblings.
        index: Its place among them.
        attempt: The attempt that waits, runs, or (while retrying) is still to start.
        state: WAITING, RUNNING or RETRYING.
        spent: Failures so far by budget pool; None until the first.
        fallbacks: How many of its attempts were the fallback; the current one is, if there was any.
    """

    name: str
    cohort: Cohort
    index: int
    attempt: int = 0
    state: TaskState = TaskState.WAITING
    spent: dict[str, int] | None = None
    fallbacks: int = 0

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

    def spend(self, pool: str) -> int:
        """Note a failure on this pool's account and return how many there were before."""
        if self.spent is None:
            self.spent = {}
        earlier = self.spent.get(pool, 0)
        self.spent[pool] = earlier + 1
        return earlier


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
        """Like :meth:`current`, for an event that only a started attempt can give.

        Raises:
            UnexpectedEventError: It was not started.
        """
        task = self.current(ref)
        if task and task.state is TaskState.RETRYING:
            raise UnexpectedEventError(f"{ref.step}/{ref.task} attempt {ref.attempt} is not started yet")
        return task

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
