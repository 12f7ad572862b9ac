"""A launcher without a clock: obeys the scheduler, ends attempts in any order, checks every step."""

from collections import Counter
from random import Random

from random_flows import END, Flow, Label, expected, worker

from headway.schedule import (
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CancelAttempts,
    Event,
    Instruction,
    RetriesDue,
    RetryDue,
    RunEnded,
    RunStarted,
    Scheduler,
    ScheduleRetry,
    StartBatch,
    StepPolicy,
    StopRequested,
)
from headway.schedule.plan import FALLBACK_ATTEMPTS
from headway.schedule.scheduler import PARAMETERS
from headway.store.batch import Batch, Code
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES, USER, AttemptRef, Failure

KINDS = (USER, RESOURCES, INFRASTRUCTURE, CONFIGURATION)
CODE = Code("path", "flow.py", ("__main__", "F"))


class Simulation:
    """One run of a random flow.

    Args:
        flow: What runs.
        policies: The retry policies, by step.
        random: Which attempt ends next, and how.
        failing: How many of 100 ends are failures.
        stopping: How many of 1000 moves are a request to stop.
        fallbacks_fail: Whether a step's fallback may fail too.
    """

    def __init__(
        self,
        flow: Flow,
        policies: dict[str, StepPolicy],
        random: Random,
        failing: int = 0,
        stopping: int = 0,
        fallbacks_fail: bool = True,
    ) -> None:
        self.flow = flow
        self.policies = policies
        self.random = random
        self.failing = failing
        self.stopping = stopping
        self.fallbacks_fail = fallbacks_fail
        self.scheduler = Scheduler(flow.plan, policies)
        self.expected = expected(flow)
        self.log: list[tuple[Event, list[Instruction]]] = []
        self.labels: dict[str, Label] = {}
        self.inputs: dict[Label, tuple[Label, ...]] = {}
        self.done: set[Label] = set()
        self.attempts: dict[str, int] = {}
        self.failures: dict[str, Counter[str]] = {}
        self.fallbacks: Counter[str] = Counter()
        self.active: list[AttemptRef] = []
        self.pending: list[AttemptRef] = []
        self.batches: set[str] = set()
        self.minted = 0
        #: By task, the tasks of its gang in rank order.
        self.gangs: dict[str, tuple[str, ...]] = {}
        #: Ranks whose attempt ended while others go on: when it failed, or whether it succeeded.
        self.held: dict[str, AttemptFailed | bool] = {}
        self.first_failed: str | None = None
        self.stop: str | None = None
        self.end: RunEnded | None = None

    def run(self) -> "Simulation":
        self.send(RunStarted())
        for _ in range(1000 * len(self.expected)):
            if self.end:
                return self
            self.send(self.next_event())
        raise AssertionError("the run does not end")

    def next_event(self) -> Event:
        assert self.active or self.pending, "nothing can happen any more, and the run has not ended"
        if not self.stop and self.random.randrange(1000) < self.stopping:
            self.stop = "interrupted"
            return StopRequested("Ctrl-C")
        if self.pending and (not self.active or self.random.randrange(3) == 0):
            return self.some_due()
        ref = self.active[self.random.randrange(len(self.active))]
        if self.random.randrange(5) == 0:
            return AttemptStarted(ref)
        self.active.remove(ref)
        if ref.task in self.gangs:
            return self.rank_ends(ref)
        if self.stop and self.random.randrange(2):
            return AttemptCancelled(ref)
        may_fail = self.fallbacks_fail or not self.fallbacks[ref.task]
        if may_fail and self.random.randrange(100) < self.failing:
            return self.failure_of(ref)
        label = self.labels[ref.task]
        self.done.add(label)
        return AttemptSucceeded(ref, self.flow.transition(label))

    def rank_ends(self, ref: AttemptRef) -> Event:
        """One rank's end; with the last one it shows what becomes of the gang."""
        ranks = self.gangs[ref.task]
        broken = any(isinstance(self.held.get(task), AttemptFailed) for task in ranks)
        event: Event
        if (self.stop or broken) and self.random.randrange(2):
            event, self.held[ref.task] = AttemptCancelled(ref), False
        elif (self.fallbacks_fail or not self.fallbacks[ranks[0]]) and self.random.randrange(
            100
        ) < self.failing:
            failure = Failure(self.random.choice(KINDS), "Exit", "it did not work")
            event = self.held[ref.task] = AttemptFailed(ref, failure, float(self.random.randrange(3)))
        else:
            event = AttemptSucceeded(ref, self.flow.transition(self.labels[ref.task]))
            self.held[ref.task] = True
        if all(task in self.held for task in ranks):
            self.gang_ends(ref.step, ranks, [self.held.pop(task) for task in ranks])
        return event

    def gang_ends(self, step: str, ranks: tuple[str, ...], ends: list[AttemptFailed | bool]) -> None:
        failed = [(end.at, rank, end) for rank, end in enumerate(ends) if isinstance(end, AttemptFailed)]
        if not failed:
            if all(ends):
                self.done.update(self.labels[task] for task in ranks)
            return
        _, rank, first = min(failed, key=lambda item: item[:2])
        self.failures.setdefault(ranks[0], Counter())[first.failure.kind] += 1
        if self.stop or (not self.fallbacks[ranks[0]] and self.has_budget(AttemptRef(step, ranks[0], 0))):
            return
        if self.policies[step].fallback and self.fallbacks[ranks[0]] < FALLBACK_ATTEMPTS:
            self.fallbacks.update(ranks)
            return
        self.stop = "failed"
        self.first_failed = ranks[rank]

    def failure_of(self, ref: AttemptRef) -> AttemptFailed:
        kind = self.random.choice(KINDS)
        self.failures.setdefault(ref.task, Counter())[kind] += 1
        if not self.stop and (self.fallbacks[ref.task] or not self.has_budget(ref)):
            if self.policies[ref.step].fallback and self.fallbacks[ref.task] < FALLBACK_ATTEMPTS:
                self.fallbacks[ref.task] += 1
            else:
                self.stop = "failed"
        return AttemptFailed(ref, Failure(kind, "Exit", "it did not work"))

    def has_budget(self, ref: AttemptRef) -> bool:
        """Whether the failures so far are within the budgets; only the last one can be the one too many."""
        retries, failures = self.policies[ref.step].retries, self.failures[ref.task]
        used = {kind: failures[kind] for kind in (USER, RESOURCES, INFRASTRUCTURE, CONFIGURATION)}
        allowed = {USER: 0, INFRASTRUCTURE: 5, CONFIGURATION: 0, RESOURCES: retries.get(USER, 0), **retries}
        return all(count <= allowed[kind] for kind, count in used.items())

    def some_due(self) -> Event:
        count = self.random.randint(1, len(self.pending))
        refs = tuple(self.random.sample(self.pending, count))
        self.pending = [ref for ref in self.pending if ref not in refs]
        return RetryDue(refs[0]) if count == 1 else RetriesDue(refs)

    def send(self, event: Event) -> None:
        stopping = self.scheduler.stopping
        instructions = self.scheduler.handle(event)
        self.log.append((event, instructions))
        for instruction in instructions:
            assert self.end is None, "the end is the last instruction"
            match instruction:
                case StartBatch():
                    assert not self.stop, "nothing starts once the run fails or stops"
                    self.start(instruction, event)
                case ScheduleRetry(ref, delay, fallback):
                    assert isinstance(event, (AttemptFailed, AttemptSucceeded, AttemptCancelled))
                    assert not self.stop
                    control = self.gangs.get(event.ref.task, (event.ref.task,))[0]
                    assert ref == AttemptRef(event.ref.step, control, event.ref.attempt + 1)
                    assert fallback == bool(self.fallbacks[ref.task])
                    if event.ref.task not in self.gangs:
                        assert isinstance(event, AttemptFailed)
                        self.check_delay(ref, event.failure.kind, delay)
                    self.pending.append(ref)
                case CancelAttempts(refs):
                    assert not stopping, "attempts are cancelled once"
                    ranks = () if self.stop else self.gangs[self.ended(event).task]
                    assert refs
                    assert sorted(refs) == sorted(r for r in self.active if self.stop or r.task in ranks)
                case RunEnded():
                    self.end = instruction
        assert self.scheduler.stopping == bool(self.stop)
        if self.stop:
            self.pending.clear()
        else:
            ready = {label for label, inputs in self.expected.items() if self.done.issuperset(inputs)}
            assert set(self.inputs) == ready, "what is ready has started, and nothing else"
        self.check_counts()

    @staticmethod
    def ended(event: Event) -> AttemptRef:
        assert isinstance(event, AttemptFailed)
        return event.ref

    def start(self, batch: StartBatch, event: Event) -> None:
        assert batch.name not in self.batches
        self.batches.add(batch.name)
        indices = [task.index for task in batch.tasks]
        assert batch.gang == self.flow.nodes[batch.step].gang
        ranked = self.flow.nodes[batch.step].nodes
        if ranked:
            assert len(indices) == ranked
            assert len(set(indices)) == 1
        else:
            assert indices == sorted(set(indices))
        if batch.gang:
            names = tuple(task.task for task in batch.tasks)
            self.gangs.update(dict.fromkeys(names, names))
            assert len({task.attempt for task in batch.tasks}) == 1, "ranks are tried again together"
        self.minted += batch.gang and not batch.tasks[0].attempt
        assert batch.join == self.flow.nodes[batch.step].join
        inputs = tuple(self.labels[ref.task] for ref in batch.inputs if ref != PARAMETERS)
        assert all(self.attempts[ref.task] == ref.attempt for ref in batch.inputs if ref != PARAMETERS)
        policy = self.policies[batch.step]
        stored = Batch("F", "1", batch.step, batch.name, CODE, batch.tasks, batch.frames)
        for rank, task in enumerate(batch.tasks):
            step = worker(batch.step, rank) if ranked else batch.step
            path = tuple(index for _, _, index, _, _ in stored.frames_of(task))
            assert task.index == (path[-1] if path else 0)
            ref = AttemptRef(batch.step, task.task, task.attempt)
            assert batch.fallback == bool(self.fallbacks[task.task]), "a fallback starts as one, alone"
            spent = self.failures.get(task.task, Counter[str]())
            allowed = spent[USER] < policy.retries.get(USER, 0)
            alone = policy.fallback and not batch.gang
            assert task.last == (batch.fallback or (alone and not allowed)), "a gang is caught as a whole"
            if task.attempt:
                assert isinstance(event, (RetryDue, RetriesDue))
                assert self.attempts[task.task] == task.attempt - 1
                assert self.labels[task.task][:2] == (step, path)
                assert self.inputs[self.labels[task.task]] == inputs
            else:
                self.minted += not batch.gang
                suffix = f"_node_{rank}" if batch.gang and rank else ""
                assert task.task == f"{self.minted}{suffix}", "ids are minted in order"
                label = (step, path, sum(known[:2] == (step, path) for known in self.inputs))
                assert self.expected[label] == inputs
                self.labels[task.task] = label
                self.inputs[label] = inputs
            self.attempts[task.task] = task.attempt
            self.active.append(ref)

    def check_delay(self, ref: AttemptRef, kind: str, delay: float) -> None:
        if self.fallbacks[ref.task]:
            assert delay == (0.0, 1.0, 2.0)[self.fallbacks[ref.task] - 1]
        elif kind == INFRASTRUCTURE:
            assert delay == min(60, 2 ** (self.failures[ref.task][INFRASTRUCTURE] - 1))
        else:
            assert delay == self.policies[ref.step].delay

    def check_counts(self) -> None:
        counts = self.scheduler.counts().values()
        assert sum(count.waiting + count.running for count in counts) == len(self.active) + len(self.held)
        retrying = sum(len(self.gangs.get(ref.task, (ref.task,))) for ref in self.pending)
        assert sum(count.retrying for count in counts) == retrying
        assert sum(count.succeeded for count in counts) == len(self.done) == len(self.scheduler.winners())
        assert sum(sum(count) for count in counts) == len(self.labels)
        assert sorted(self.scheduler.active()) == sorted(self.active)
        assert sorted(self.scheduler.retrying()) == sorted(self.pending)

    def check_end(self) -> None:
        """The run's end tells what became of it."""
        assert self.end
        assert not self.active
        assert self.scheduler.outcome == self.end.outcome
        if self.end.outcome == "succeeded":
            assert self.end.end_ref
            assert self.labels[self.end.end_ref.task][0] == END
            assert self.inputs == self.expected
            assert self.done == set(self.expected)
            winners = {ref.task: ref.attempt for ref in map(parse, self.scheduler.winners().items())}
            assert winners == self.attempts
            return
        assert self.end.outcome == self.stop
        assert self.end.end_ref is None
        if self.stop == "failed":
            assert self.end.failed_ref
            step, task, attempt = self.end.failed_ref
            assert f"{step}/{task} failed" in self.end.message
            assert self.attempts[task] == attempt
            assert self.first_failed in (None, task)
        else:
            assert self.end.message == "Ctrl-C"


def parse(winner: tuple[str, int]) -> AttemptRef:
    step, _, task = winner[0].partition("/")
    return AttemptRef(step, task, winner[1])
