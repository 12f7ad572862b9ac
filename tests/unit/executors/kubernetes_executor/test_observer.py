"""How often a person is told what stands still: when it begins, and rarely while it goes on."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from headway.config.resolve import resolve_kubernetes
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.observer import Observer
from headway.executors.kubernetes.refusal import refusal
from headway.executors.kubernetes.standstill import Standstill
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.store.batch import Batch, Code, Gang, TaskSpec
from headway.store.records import AttemptRef, Failure


class Clock:
    """Seconds, set by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


class Ears:
    """What was told: (reason, message), and the attempts that are over."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.ended: list[Failure] = []
        self.lingered: list[str] = []
        self.stops: list[str] = []

    def standing(self, job: TrackedJob, attempt: Attempt | None, reason: str, message: str) -> None:
        self.told.append((reason, message))

    def over(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None:
        self.ended.append(failure)
        attempt.settling = True

    def running(self, job: TrackedJob, attempt: Attempt, facts: Mapping[str, str]) -> None: ...

    def trouble(self, message: str) -> None: ...

    def insecure(self, job: TrackedJob) -> bool:
        return False

    def try_restricted(self, job: TrackedJob) -> None: ...

    def relax(self, job: TrackedJob) -> None: ...

    def restrict(self, namespace: str) -> None: ...

    def pinned(self, job: TrackedJob) -> bool:
        return False

    def idle(self, job: TrackedJob) -> None: ...

    def lingering(self, job: TrackedJob, pod: str) -> None:
        self.lingered.append(pod)

    def stop_asked(self, who: str) -> None:
        self.stops.append(who)

    def settled(self, job: TrackedJob) -> None: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def attempt() -> Attempt:
    return Attempt(AttemptRef("train", "1", 0), 0, pod="x")


@pytest.fixture
def job(attempt: Attempt) -> TrackedJob:
    batch = Batch("F", "1", "train", "train-1", Code("path", "f.py", ("__main__", "F")), (TaskSpec("1", 0),))
    settings = resolve_kubernetes("train").settings
    return TrackedJob("f-train-1", "default", batch, settings, "train", {0: attempt})


@pytest.fixture
def observer(clock: Clock, ears: Ears, job: TrackedJob) -> Observer:
    jobs = Jobs()
    jobs.add(job)
    client: Any = SimpleNamespace(clock=clock)
    return Observer(cast("KubernetesClient", client), "F", "1", jobs, ears)


@pytest.mark.parametrize("gang", [None, Gang(29500, 600.0)])
def test_what_lingers_beside_a_task_goes_while_others_of_its_job_run(
    observer: Observer, job: TrackedJob, clock: Clock, ears: Ears, gang: Gang | None
) -> None:
    job.batch = job.batch._replace(gang=gang)
    job.company["y"] = clock.now
    observer.look(clock.now + 4)
    assert ears.lingered == []
    observer.look(clock.now + 6)
    assert ears.lingered == ["y"]
    observer.look(clock.now + 7)
    assert ears.lingered == ["y"], "it was asked for"


QUOTA = refusal("Error creating: pods is forbidden: exceeded quota: small")


def test_a_refusal_is_told_again_but_rarely(
    observer: Observer, job: TrackedJob, clock: Clock, ears: Ears
) -> None:
    for _ in range(70):
        observer.refused(job, QUOTA)
        observer.look(clock.now)
        clock.now += 10
    assert [reason for reason, _ in ears.told] == ["Quota"] * 3
    assert not ears.ended, "a quota is waited for"


def test_another_refusal_is_told_at_once(
    observer: Observer, job: TrackedJob, clock: Clock, ears: Ears
) -> None:
    observer.refused(job, QUOTA)
    clock.now += 10
    observer.refused(job, refusal('admission webhook "x" denied the request'))
    observer.look(clock.now + 19)
    assert not ears.ended
    observer.look(clock.now + 21)
    assert [failure.reason for failure in ears.ended] == ["Denied"]
    assert [reason for reason, _ in ears.told] == ["Quota", "Denied"]


def test_a_wait_is_told_again_with_how_long_it_has_been(
    observer: Observer, job: TrackedJob, attempt: Attempt, clock: Clock, ears: Ears
) -> None:
    observer.noted(job, attempt, Standstill("ScaleUp", "an autoscaler is making a node"))
    for _ in range(601):
        clock.now += 1
        observer.look(clock.now)
    assert [message for _, message in ears.told] == [
        "an autoscaler is making a node",
        "an autoscaler is making a node (for 5 minutes now)",
        "an autoscaler is making a node (for 10 minutes now)",
    ]


def test_what_is_known_of_a_cause_is_not_lost_to_a_vaguer_word(
    observer: Observer, job: TrackedJob, attempt: Attempt, clock: Clock, ears: Ears
) -> None:
    observer.noted(job, attempt, Standstill("ImagePullBackOff", "the registry does not have it", 60.0))
    observer.noted(job, attempt, Standstill("ImagePullBackOff", "it cannot be pulled", 60.0, vague=True))
    observer.look(clock.now + 60)
    assert [failure.message for failure in ears.ended] == [
        "Step train cannot start: the registry does not have it"
    ]


def test_a_wait_that_is_seen_again_and_again_goes_on(
    observer: Observer, job: TrackedJob, attempt: Attempt, clock: Clock, ears: Ears
) -> None:
    for _ in range(31):
        observer.noted(job, attempt, Standstill("ScaleUp", "a node is made"))
        observer.look(clock.now)
        clock.now += 10
    assert [message for _, message in ears.told] == ["a node is made", "a node is made (for 5 minutes now)"]
