"""Jobs that a queue holds back say so, once, again after a while, and that they go on."""

import pytest

from headway.config.resolve import resolve_kubernetes
from headway.executors.kubernetes.api.types import Job, JobSpec, ObjectMeta
from headway.executors.kubernetes.suspension import QUEUE_LABEL, Suspensions
from headway.executors.kubernetes.tracked import TrackedJob, attempts_of, tracked_job
from headway.store.batch import Batch, Code, TaskSpec

AGAIN = 300.0


class Told:
    """What was told, as (reason, message)."""

    def __init__(self) -> None:
        self.words: list[tuple[str, str]] = []
        self.suspensions = Suspensions(lambda _, *said: self.words.append(said), AGAIN)

    @property
    def reasons(self) -> list[str]:
        return [reason for reason, _ in self.words]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def job() -> TrackedJob:
    code = Code("path", "flow.py", ("__main__", "Flow"))
    batch = Batch("Flow", "1", "train", "train-1", code, (TaskSpec("1", 0),))
    return tracked_job(batch, resolve_kubernetes("train").settings, attempts_of(batch))


def state(*, suspend: bool, queue: str = "") -> Job:
    labels = {QUEUE_LABEL: queue} if queue else {}
    return Job(metadata=ObjectMeta(name="j", labels=labels), spec=JobSpec(suspend=suspend))


def test_it_is_told_once_again_after_a_while_and_when_it_goes_on(told: Told, job: TrackedJob) -> None:
    told.suspensions.seen(job, state(suspend=True), 10.0)
    told.suspensions.seen(job, state(suspend=True), 20.0)
    told.suspensions.look(10.0 + AGAIN - 1)
    assert told.reasons == ["Suspended"]
    assert "the Job j is suspended: a queue, or whoever suspended it, has not" in told.words[0][1]
    assert job.suspended
    told.suspensions.look(10.0 + AGAIN)
    assert "(for 5 minutes now)" in told.words[1][1]
    told.suspensions.seen(job, state(suspend=False), 400.0)
    assert told.words[2:] == [("", "")]
    assert not job.suspended


def test_the_queue_is_named(told: Told, job: TrackedJob) -> None:
    told.suspensions.seen(job, state(suspend=True, queue="team-a"), 0.0)
    assert "the queue team-a has not admitted it yet" in told.words[0][1]
    assert "kubectl describe localqueue team-a" in told.words[0][1]


def test_a_job_that_was_never_held_back_says_nothing(told: Told, job: TrackedJob) -> None:
    told.suspensions.seen(job, state(suspend=False), 0.0)
    told.suspensions.look(AGAIN)
    assert told.words == []


def test_nobody_is_told_of_a_job_that_goes(told: Told, job: TrackedJob) -> None:
    told.suspensions.seen(job, state(suspend=True), 0.0)
    job.deleting = True
    told.suspensions.look(AGAIN)
    assert told.reasons == ["Suspended"]
