"""The state machine of one run: what to start, try again, cancel, and when it is over."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from headway.schedule.batching import Batching
from headway.schedule.calls import Calls
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
    UnexpectedEventError,
)
from headway.schedule.gangs import GangAgain, GangEnds, GangFailed, GangSucceeded
from headway.schedule.instructions import (
    INTERRUPTED,
    CancelAttempts,
    Instruction,
    RunEnded,
    ScheduleRetry,
)
from headway.schedule.joins import JoinGroups
from headway.schedule.plan import FALLBACK_ATTEMPTS, Plan, StepPolicy, infrastructure_delay
from headway.schedule.tasks import Gang, RankFailure, StepCounts, Task, TaskState, TaskTable
from headway.schedule.transitions import Arrival, Start, TransitionError, advance
from headway.store.records import FAILED, NOT_BEGUN, SUCCEEDED, USER, AttemptRef, Failure, Transition

#: The attempt whose artifacts are the run's parameters: the input of the start task.
PARAMETERS = AttemptRef("_parameters", "0", 0)


class _Stop(Struct, frozen=True):
    """Why nothing more is started; the first reason stands."""

    outcome: str
    message: str
    failed_ref: AttemptRef | None = None
    hint: str = ""


class Scheduler:
    """Drives one run; not safe to use from several threads.

    Args:
        plan: The flow's shape.
        policies: How often each step may be tried again; a step not named has the default policy.
    """

    def __init__(self, plan: Plan, policies: Mapping[str, StepPolicy]) -> None:
        self._plan = plan
        self._policies = {step: policies.get(step, StepPolicy()) for step in plan.nodes}
        self._tasks = TaskTable(plan.nodes)
        self._joins = JoinGroups()
        self._calls = Calls(plan) if plan.calls else None
        self._batching = Batching(plan, self._policies, self._tasks)
        self._gangs = GangEnds(plan, self._policies, self._tasks)
        self._started = False
        self._stop: _Stop | None = None
        self._end: AttemptRef | None = None
        self._outcome: str | None = None

    def handle(self, event: Event) -> list[Instruction]:
        """Take in what happened.

        An event that is no news (a duplicate, a superseded attempt, anything after the end)
        gives no instruction and changes nothing.

        Returns:
            What is to be done, in this order.

        Raises:
            UnexpectedEventError: The event names an attempt, or a cancellation, that was never asked for.
        """
        instructions = self._react(event)
        if self._outcome is None and (self._started or self._stop) and not self._tasks.any_live():
            instructions.append(self._finish())
        return instructions

    @property
    def outcome(self) -> str | None:
        """succeeded, failed or interrupted once the run has ended, None before."""
        return self._outcome

    @property
    def stopping(self) -> bool:
        """Whether the run failed or was interrupted: nothing more is started."""
        return self._stop is not None

    def counts(self) -> dict[str, StepCounts]:
        """How many tasks of each step stand where; every step of the plan is named."""
        return self._tasks.counts()

    def winners(self) -> dict[str, int]:
        """The number of the attempt that counts, by "step/task", of all tasks that succeeded."""
        return self._tasks.winners()

    def active(self) -> tuple[AttemptRef, ...]:
        """The attempts that were started and have not ended."""
        live = self._tasks.live(TaskState.WAITING, TaskState.RUNNING)
        return tuple(task.ref for task in live if not task.ended)

    def retrying(self) -> tuple[AttemptRef, ...]:
        """The attempts whose wait is not over, rank 0's for a gang: each is owed a ``RetryDue``."""
        waiting = self._tasks.live(TaskState.RETRYING)
        return tuple(task.ref for task in waiting if task.gang is None or task is task.gang.control)

    def cancelling(self, ref: AttemptRef) -> bool:
        """Whether this attempt may end as cancelled: the run stops, or its gang does."""
        task = self._tasks.current(ref)
        return self._stop is not None or bool(task and task.gang and task.gang.failures)

    def leader(self, ref: AttemptRef) -> AttemptRef:
        """Rank 0's attempt, where this is the attempt of a gang's rank that counts; else itself."""
        task = self._tasks.current(ref)
        return task.gang.control.ref if task and task.gang else ref

    def undecided(self, ref: AttemptRef) -> bool:
        """Whether the attempt ended and what follows depends on other ranks of its gang."""
        task = self._tasks.current(ref)
        return task is not None and task.ended

    def _react(self, event: Event) -> list[Instruction]:
        match event:
            case AttemptSucceeded(ref, transition):
                return self._succeeded(ref, transition)
            case AttemptFailed():
                return self._failed(event)
            case AttemptStarted(ref):
                return self._attempt_started(ref)
            case AttemptCancelled(ref):
                return self._cancelled(ref)
            case RetryDue(ref):
                return [*self._batching.again((ref,))]
            case RetriesDue(refs):
                return [*self._batching.again(refs)]
            case StopRequested(reason):
                return self._halt(_Stop(INTERRUPTED, reason))
            case RunStarted():
                return self._run_started()

    def _run_started(self) -> list[Instruction]:
        if self._started or self._stop:
            return []
        self._started = True
        if self._calls is not None:
            return self._start_calls(self._calls, self._calls.first())
        return [*self._batching.start(Start(self._plan.start, (), range(1)), (PARAMETERS,))]

    def _attempt_started(self, ref: AttemptRef) -> list[Instruction]:
        task = self._tasks.under_way(ref)
        if task:
            self._tasks.move(task, TaskState.RUNNING)
        return []

    def _succeeded(self, ref: AttemptRef, transition: Transition | None) -> list[Instruction]:
        task = self._tasks.under_way(ref)
        if task is None:
            return []
        if task.gang:
            task.ended = True
            task.gang.transitions[task.gang.tasks.index(task)] = transition
            return self._gang_moved(task.gang)
        if self._calls is not None:
            self._tasks.finish(task, TaskState.SUCCEEDED)
            return self._call_succeeded(self._calls, ref)
        is_end = self._plan.nodes[ref.step].end
        if self._stop and not is_end:
            self._tasks.finish(task, TaskState.SUCCEEDED)
            return []
        try:
            following = advance(self._plan, ref, task.frames, transition)
        except TransitionError as e:
            return self._give_up(task, Failure(USER, "Transition", f"{e}.", e.hint))
        self._tasks.finish(task, TaskState.SUCCEEDED)
        if is_end:
            self._end = ref
        return self._follow(following, ref)

    def _follow(self, following: Iterable[Start | Arrival], ref: AttemptRef) -> list[Instruction]:
        instructions: list[Instruction] = []
        for item in following:
            if isinstance(item, Start):
                instructions += self._batching.start(item, (ref,))
            elif inputs := self._joins.arrive(item, ref):
                instructions += self._batching.start(item.start(), inputs)
        return instructions

    def _call_succeeded(self, calls: Calls, ref: AttemptRef) -> list[Instruction]:
        ready = calls.succeeded(ref)
        self._end = calls.end
        return [] if self._stop else self._start_calls(calls, ready)

    def _start_calls(self, calls: Calls, names: Iterable[str]) -> list[Instruction]:
        return [
            batch
            for name in names
            for batch in self._batching.start(Start(name, (), range(1)), calls.inputs(name) or (PARAMETERS,))
        ]

    def _gang_moved(self, gang: Gang) -> list[Instruction]:
        """An attempt of a rank has ended: what follows is decided once all have."""
        match self._gangs.decide(gang, stopping=self._stop is not None):
            case GangSucceeded() if self._calls is not None:
                return self._call_succeeded(self._calls, gang.control.ref)
            case GangSucceeded(ways):
                if self._plan.nodes[gang.control.cohort.step].end:
                    self._end = gang.control.ref
                return [item for ref, following in ways for item in self._follow(following, ref)]
            case GangFailed(ref, message, hint):
                return self._halt(_Stop(FAILED, message, ref, hint))
            case GangAgain(delay, fallback):
                return [ScheduleRetry(gang.control.ref, delay, fallback)]
            case _:
                return []

    def _rank_failed(self, task: Task, gang: Gang, event: AttemptFailed) -> list[Instruction]:
        """The first rank that fails ends the others: without it they would wait for ever."""
        stopping = self._stop is not None or bool(gang.failures)
        task.ended = True
        gang.failures.append(RankFailure(event.at, gang.tasks.index(task), event.failure, event.ran))
        if gang.over or stopping:
            return self._gang_moved(gang)
        others = tuple(each.ref for each in gang.tasks if not each.ended)
        return [CancelAttempts(others, f"{task.cohort.step}/{task.name} of the same gang failed")]

    def _failed(self, event: AttemptFailed) -> list[Instruction]:
        ref, failure = event.ref, event.failure
        task = self._tasks.under_way(ref)
        if task is None:
            return []
        if task.gang:
            return self._rank_failed(task, task.gang, event)
        if failure.reason == NOT_BEGUN and not self._stop:
            # Whatever ended its pod is another attempt's account: each such end spends one budget.
            return [self._again(task, 0.0)]
        policy = self._policies[ref.step]
        pool = policy.pool(failure)
        earlier = task.spend(pool, event.ran)
        if self._stop or task.fallbacks or earlier >= policy.budget(pool):
            return self._give_up(task, failure)
        return [self._again(task, policy.retry_delay(pool, earlier))]

    def _again(self, task: Task, delay: float, *, fallback: bool = False) -> ScheduleRetry:
        task.attempt += 1
        self._tasks.move(task, TaskState.RETRYING)
        return ScheduleRetry(task.ref, delay, fallback)

    def _give_up(self, task: Task, failure: Failure) -> list[Instruction]:
        """The task has failed for good: its fallback takes over, or the run has failed with it."""
        ref = task.ref
        if self._policies[ref.step].fallback and not self._stop and task.fallbacks < FALLBACK_ATTEMPTS:
            task.fallbacks += 1
            delay = infrastructure_delay(task.fallbacks - 2) if task.fallbacks > 1 else 0.0
            return [self._again(task, delay, fallback=True)]
        self._tasks.finish(task, TaskState.FAILED)
        tries = f" after {ref.attempt + 1} attempts" if ref.attempt else ""
        message = f"{ref.step}/{ref.task} failed{tries}: {failure.message}"
        return self._halt(_Stop(FAILED, message, ref, failure.hint))

    def _cancelled(self, ref: AttemptRef) -> list[Instruction]:
        task = self._tasks.under_way(ref)
        if task is None:
            return []
        if not self.cancelling(ref):
            # Taken as an end, it would leave a task that neither failed nor is tried again.
            raise UnexpectedEventError(f"{ref} was cancelled, though nobody asked for it")
        if task.gang:
            task.ended = True
            return self._gang_moved(task.gang)
        self._tasks.finish(task, TaskState.CANCELLED)
        return []

    def _halt(self, stop: _Stop) -> list[Instruction]:
        """Start nothing more, give up the waits, cancel what is under way."""
        if self._stop or self._outcome:
            return []
        self._stop = stop
        for task in self._tasks.live(TaskState.RETRYING):
            self._tasks.finish(task, TaskState.FAILED)
        active = self.active()
        reason = f"{stop.failed_ref.step}/{stop.failed_ref.task} failed" if stop.failed_ref else stop.message
        return [CancelAttempts(active, reason)] if active else []

    def _finish(self) -> RunEnded:
        stop = self._stop
        if self._end and (stop is None or stop.outcome == INTERRUPTED):
            # A stop that came too late to keep the end step from succeeding took nothing away.
            ended = RunEnded(SUCCEEDED, self._end)
        elif stop:
            ended = RunEnded(stop.outcome, None, stop.message, stop.failed_ref, stop.hint)
        else:
            ended = RunEnded(FAILED, None, self._stalled())
        self._outcome = ended.outcome
        return ended

    def _stalled(self) -> str:
        """What a run waits for that has nothing left to run; a graph that was checked never comes here."""
        if self._calls is not None:
            waits = [f"{name} (for {', '.join(needs)})" for name, needs in self._calls.waiting()]
            return f"Not all calls have succeeded; still waiting: {', '.join(waits) or 'nothing'}."
        joins = [f"{join} (has {came} of {count} inputs)" for join, came, count in self._joins.waiting()]
        return f"The end step was not reached; still waiting: {', '.join(joins) or 'nothing'}."
