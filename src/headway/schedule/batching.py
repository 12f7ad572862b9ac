"""Which tasks start together, and as what: new ones of a fan-out, and those whose wait is over."""

from collections.abc import Mapping

from headway.schedule.instructions import StartBatch
from headway.schedule.plan import Plan, StepPolicy
from headway.schedule.tasks import Cohort, Gang, Task, TaskState, TaskTable
from headway.schedule.transitions import Start
from headway.store.records import AttemptRef


class Batching:
    """Makes the batches of one run, and numbers them.

    Args:
        plan: The flow's shape.
        policies: How often each step may be tried again.
        tasks: The run's tasks.
    """

    def __init__(self, plan: Plan, policies: Mapping[str, StepPolicy], tasks: TaskTable) -> None:
        self._plan = plan
        self._policies = policies
        self._tasks = tasks
        self._made = 0

    def start(self, start: Start, inputs: tuple[AttemptRef, ...]) -> list[StartBatch]:
        """New tasks: one batch, or one for each gang."""
        node = self._plan.nodes[start.step]
        cohort = Cohort(start.step, start.frames, inputs, node.join, start.ranks)
        if not node.gang:
            return [self._batch(cohort, self._tasks.mint(cohort, start.indices))]
        places = [start.indices] if start.ranks else [[index] * (node.nodes or 1) for index in start.indices]
        gangs = [self._tasks.mint_gang(cohort, place, node.worker) for place in places]
        return [self._batch(cohort, gang.tasks) for gang in gangs]

    def again(self, refs: tuple[AttemptRef, ...]) -> list[StartBatch]:
        """The tasks among these attempts that wait to be tried again."""
        # All are looked up before one is moved: an unknown ref must leave the state as it was.
        due = [task for task in map(self._tasks.current, refs) if task and task.state is TaskState.RETRYING]
        # A step and its fallback run in different places, and one batch has one size of memory.
        alike: dict[tuple[Cohort, bool, int], dict[int, Task]] = {}
        gangs: dict[int, Gang] = {}
        for task in due:
            if task.gang:
                gangs[id(task.gang)] = task.gang
            else:
                alike.setdefault((task.cohort, task.fallbacks > 0, task.grown), {})[task.index] = task
        batches: list[StartBatch] = []
        for gang in gangs.values():
            for task in gang.tasks:
                self._tasks.move(task, TaskState.WAITING)
            control = gang.control
            fallback = control.fallbacks > 0
            batches.append(self._batch(control.cohort, gang.tasks, fallback=fallback, grown=control.grown))
        for (cohort, fallback, grown), by_index in alike.items():
            tasks = [by_index[index] for index in sorted(by_index)]
            for task in tasks:
                self._tasks.move(task, TaskState.WAITING)
            batches.append(self._batch(cohort, tasks, fallback=fallback, grown=grown))
        return batches

    def _batch(
        self, cohort: Cohort, tasks: list[Task], *, fallback: bool = False, grown: int = 0
    ) -> StartBatch:
        self._made += 1
        policy = self._policies[cohort.step]
        # A gang is caught as a whole: a rank that went on alone would leave the others waiting for it.
        alone = tasks[0].gang is None
        return StartBatch(
            step=cohort.step,
            frames=cohort.frames,
            inputs=cohort.inputs,
            tasks=tuple(
                task.spec._replace(last=fallback or (alone and policy.is_last(task.spent or {})))
                for task in tasks
            ),
            join=cohort.join,
            name=f"{cohort.step}-{self._made}",
            fallback=fallback,
            gang=not alone,
            grown=grown,
        )
