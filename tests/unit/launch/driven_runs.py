"""Runs driven by the real driver, scheduler and journal over a scripted executor, and what was told of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headway.executors.base import Executor, Output, Started, Waiting
from headway.launch.batches import BatchFactory, StepRun
from headway.launch.driver import Driver
from headway.launch.journal import Journal, read_journal
from headway.schedule.instructions import RunEnded
from headway.schedule.plan import Plan, PlanNode, StepPolicy
from headway.schedule.scheduler import Scheduler
from headway.schedule.tasks import StepCounts
from headway.store.base import ObjectStore
from headway.store.batch import Code
from headway.store.records import USER, AttemptRef, Failure, Record, Transition
from headway.store.run_records import RunEnd, RunRecord
from headway.testing.fake_executor import Act, FakeExecutor
from headway.testing.memory_store import MemoryStore

FLOW, RUN = "Sample", "7"
CODE = Code("path", "flow.py", ("__main__", FLOW))

LINEAR = Plan.of(
    "start", [PlanNode("start", ("middle",)), PlanNode("middle", ("end",)), PlanNode("end", end=True)]
)
FOREACH = Plan.of(
    "start",
    [
        PlanNode("start", ("work",)),
        PlanNode("work", ("join",)),
        PlanNode("join", ("end",), join=True),
        PlanNode("end", end=True),
    ],
)

#: What a step's own code does wrong.
BROKEN_CODE = Failure(USER, "Exception", "ValueError: no good")


class Told:
    """A reporter that writes down what it hears."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of this method."""
        return [call[1:] for call in self.calls if call[0] == name]

    def run_started(self, record: RunRecord, *, attached: bool = False) -> None:
        self.calls.append(("run_started", record, attached))

    def note(self, message: str) -> None:
        self.calls.append(("note", message))

    def agree(self, question: str) -> bool:
        self.calls.append(("agree", question))
        return False

    def fan_out(self, step: str, splits: int) -> None:
        self.calls.append(("fan_out", step, splits))

    def cloned(self, origin: str, records: Sequence[Record], of: int) -> None:
        self.calls.append(("cloned", origin, [str(record.ref) for record in records], of))

    def attempt_started(self, event: Started) -> None:
        self.calls.append(("attempt_started", event.ref))

    def output(self, event: Output) -> None:
        self.calls.append(("output", event.ref, [text for _, _, text in event.lines]))

    def waiting(self, event: Waiting) -> None:
        self.calls.append(("waiting", event.step, event.reason, event.message))

    def attempt_caught(self, record: Record) -> None:
        self.calls.append(("attempt_caught", record))

    def attempt_ended(self, record: Record, retry_in: float | None) -> None:
        self.calls.append(("attempt_ended", record, retry_in))

    def progress(self, counts: Mapping[str, StepCounts]) -> None:
        self.calls.append(("progress", dict(counts)))

    def run_ended(self, end: RunEnd) -> None:
        self.calls.append(("run_ended", end))


class DrivenRun:
    """One run in the making.

    Args:
        plan: The flow's shape.
        policies: How often each step may be tried again.
        store: The datastore.
        executor: Runs every step that ``executors`` does not name.
        executors: By step.
        max_splits: The most tasks of one foreach.
        jitter: Between 0 and 1.
    """

    def __init__(
        self,
        plan: Plan,
        policies: Mapping[str, StepPolicy] | None = None,
        *,
        store: ObjectStore | None = None,
        executor: FakeExecutor | None = None,
        executors: Mapping[str, Executor] | None = None,
        max_splits: int | None = None,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.store = store or MemoryStore()
        self.executor = executor or FakeExecutor(self.store)
        self.told = Told()
        self.scheduler = Scheduler(plan, policies or {})
        self.driver = Driver(
            self.scheduler,
            {**dict.fromkeys(plan.nodes, self.executor), **(executors or {})},
            BatchFactory(FLOW, RUN, "ann", "user:ann", (), {step: StepRun(CODE) for step in plan.nodes}),
            Journal(self.store, FLOW, RUN),
            self.told,
            max_splits,
            jitter,
        )

    def linear(self, **acts: Act) -> "DrivenRun":
        """Script the linear plan: every step leads to the next, but for the acts given."""
        self.acts(start=Act(outcome=to("middle")), middle=Act(outcome=to("end")), end=Act())
        return self.acts(**acts)

    def foreach(self, splits: int, **acts: Act) -> "DrivenRun":
        """Script the foreach plan with so many splits, but for the acts given."""
        fan_out = Transition(("work",), "items", splits)
        self.acts(start=Act(outcome=fan_out), work=Act(outcome=to("join")), join=Act(outcome=to("end")))
        return self.acts(**acts)

    def acts(self, **acts: Act) -> "DrivenRun":
        for step, act in acts.items():
            self.executor.script(act, step)
        return self

    async def drive(self) -> RunEnded:
        return await self.driver.run()

    def journal(self) -> list[Any]:
        """What has been written down."""
        return read_journal(self.store, FLOW, RUN)

    def ended(self) -> list[tuple[str, str, float | None]]:
        """What was told of each attempt's end: which, how, and when it is tried again."""
        return [
            (str(record.ref), record.failure.reason if record.failure else record.outcome, retry_in)
            for record, retry_in in self.told.of("attempt_ended")
        ]


def to(*targets: str) -> Transition:
    return Transition(targets)


def ref(step: str, task: int, attempt: int = 0) -> AttemptRef:
    return AttemptRef(step, str(task), attempt)


async def until(condition: Callable[[], Any]) -> None:
    """Let the run go on until this holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")
