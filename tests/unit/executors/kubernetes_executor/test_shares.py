"""Which Jobs of a run may have more pods: as the rule over all Jobs says, at a cost that waiting Jobs do not raise."""

from collections.abc import Callable, Container, Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from headway.config.resolve import resolve_kubernetes
from headway.executors.kubernetes.gathering import is_gathering
from headway.executors.kubernetes.shares import Shares
from headway.executors.kubernetes.slots import Demand, allot
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob, attempts_of, tracked_job
from headway.store.batch import Batch, Code, Gang, TaskSpec

SETTINGS = resolve_kubernetes("work").settings
CODE = Code("path", "flow.py", ("__main__", "Flow"))


def job_of(number: int, tasks: int = 1, *, gang: bool = False) -> TrackedJob:
    specs = tuple(TaskSpec(f"{number}_{index}", 0, index) for index in range(tasks))
    batch = Batch("Flow", "1", "work", f"work-{number}", CODE, specs, gang=Gang(60.0) if gang else None)
    return tracked_job(batch, SETTINGS, attempts_of(batch))


class Bench:
    """Jobs, and what happens to them; what is given is compared with the rule each time."""

    def __init__(self, limit: int) -> None:
        self.now = 0.0
        self.limit = limit
        self.jobs = Jobs()
        self.every: list[TrackedJob] = []
        self.admitted: set[str] = set()
        self.busy: set[str] = set()
        self.shares = Shares(limit, lambda: self.now)

    def come(self, tasks: int, *, gang: bool) -> None:
        job = job_of(len(self.every), tasks, gang=gang)
        self.jobs.add(job)
        self.every.append(job)

    def admit(self, job: TrackedJob) -> None:
        if job.name not in self.admitted:
            self.admitted.add(job.name)
            self.shares.admit(job)

    def return_(self, job: TrackedJob, *, well: bool) -> None:
        """The call about the Job returns."""
        if job.name in self.busy:
            self.busy.discard(job.name)
            if well and job.created is None:
                job.created = self.now
            elif job.created is not None and not well:
                job.parallelism -= 1

    def end(self, job: TrackedJob) -> None:
        """An attempt of the Job ends; the last one takes the Job with it."""
        if job.created is not None or job.deleting:
            for attempt in list(job.attempts.values())[:1]:
                self.jobs.end(job, attempt)
            if not job.attempts:
                self.jobs.forget(job)

    def place(self, job: TrackedJob) -> None:
        for attempt in list(job.attempts.values())[:1]:
            attempt.placed = self.now if job.created is not None else None

    def queue(self, job: TrackedJob, *, suspended: bool) -> None:
        job.queued, job.suspended = True, suspended

    def give(self) -> None:
        expected = dict(self.rule())
        chosen = self.shares.give(self.busy)
        assert {job.name: parallelism for job, parallelism in chosen} == expected
        assert [job.place for job, _ in chosen] == sorted(job.place for job, _ in chosen)
        for job, parallelism in chosen:
            job.parallelism = parallelism
            self.busy.add(job.name)

    def rule(self) -> Iterator[tuple[str, int]]:
        """The rule as it is to be understood, which looks at every Job."""
        demands = [
            Demand(job.name, job.widest, job.parallelism, job.batch.gang is not None)
            for job in self._one_gang_at_a_time()
            if job.name in self.admitted and not job.deleting
        ]
        for name, parallelism in allot(self.limit, demands).items():
            if name not in self.busy:
                yield name, parallelism

    def _one_gang_at_a_time(self) -> Iterator[TrackedJob]:
        gangs = [job for job in self.jobs if job.batch.gang is not None]
        free = not any(is_gathering(job, self.now) or job.name in self.busy for job in gangs)
        for job in self.jobs:
            # One that the cluster refused has been given its pods, and never takes a node.
            waits = job.batch.gang is not None and job.created is None and not job.parallelism
            if not waits or job.name not in self.admitted or job.deleting:
                yield job
            elif free:
                free = False
                yield job


ACTS: dict[str, Callable[[Bench, TrackedJob], None]] = {
    "admit": Bench.admit,
    "created": lambda bench, job: bench.return_(job, well=True),
    "failed": lambda bench, job: bench.return_(job, well=False),
    "end": Bench.end,
    "withdraw": lambda bench, job: setattr(job, "deleting", True),
    "place": Bench.place,
    "together": lambda bench, job: setattr(job, "together", True),
    "queued": lambda bench, job: bench.queue(job, suspended=True),
    "queue admits": lambda bench, job: bench.queue(job, suspended=False),
}
COMING = st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=4, max_size=9)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "created", "created", "end", "end", "wait", *ACTS]), st.integers(0, 8)
    ),
    min_size=10,
    max_size=60,
)


@given(st.integers(1, 12), COMING, st.sets(st.integers(0, 8)), STEPS)
@example(3, [(1, True), (1, False), (1, True)], set(), [("withdraw", 0), ("end", 0)])
@settings(max_examples=150, deadline=None)
def test_it_gives_what_the_rule_over_all_jobs_gives(
    limit: int, coming: list[tuple[int, bool]], late: set[int], steps: list[tuple[str, int]]
) -> None:
    bench = Bench(limit)
    for tasks, gang in coming:
        bench.come(tasks, gang=gang)
    for job in reversed(bench.every):
        if job.place not in late:
            bench.admit(job)
    bench.give()
    for what, number in steps:
        if what == "wait":
            bench.now += number
        else:
            ACTS[what](bench, bench.every[number % len(bench.every)])
        bench.give()


class Looks(dict[int, Attempt]):
    """Attempts that count how often their Job is looked at."""

    count = 0

    def __len__(self) -> int:
        type(self).count += 1
        return super().__len__()


def looks_of(shares: Shares, busy: Container[str] = ()) -> int:
    Looks.count = 0
    for job, parallelism in shares.give(busy):
        job.parallelism, job.created = parallelism, 0.0
    return Looks.count


def test_jobs_that_wait_cost_nothing_until_there_is_room_for_them() -> None:
    shares, jobs = Shares(4, lambda: 0.0), [job_of(number) for number in range(1000)]
    for place, job in enumerate(jobs):
        job.attempts, job.place = Looks(job.attempts), place
        shares.admit(job)
    looks_of(shares)
    full = looks_of(shares)
    assert full <= 4 * 4, "of a full run the Jobs are looked at that have pods"
    jobs[0].attempts.clear()
    assert looks_of(shares) <= full + 4 * 4
    assert [job.parallelism for job in jobs[:7]] == [1, 1, 1, 1, 1, 0, 0]
    for job in jobs[5:900]:
        job.deleting = True
    jobs[1].attempts.clear()
    looks_of(shares)
    assert jobs[900].parallelism == 1, "what was withdrawn is passed over"
    jobs[2].attempts.clear()
    assert looks_of(shares) <= full + 4 * 4, "and not looked at again"
    assert jobs[901].parallelism == 1
