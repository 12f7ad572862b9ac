"""What the events of many things cost that stand still."""

import asyncio

import pytest
from test_shares import job_of

from headway.executors.kubernetes import event_lists
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.event_lists import About, EventLists
from headway.executors.kubernetes.inquiry import Inquirer
from headway.executors.kubernetes.refusal import Refusal
from headway.executors.kubernetes.standstill import Standstill
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.testing.fake_kubernetes import FakeKubernetes

JOBS = About("default", "Job", "FailedCreate")


@pytest.fixture
def lists(client: KubernetesClient) -> EventLists:
    return EventLists(client, asyncio.Semaphore(8))


def add_job(fake: FakeKubernetes, name: str) -> None:
    """A Job that the fake's controller makes no pods for."""
    over = {"conditions": [{"type": "Failed", "status": "True"}]}
    about = {"name": name, "namespace": "default"}
    fake.state.add("jobs", "default", {"kind": "Job", "metadata": about, "spec": {}, "status": over})


def happen(fake: FakeKubernetes, count: int) -> list[str]:
    """So many Jobs of which one event tells, beside one about something else."""
    names = [f"job-{number}" for number in range(count)]
    for name in names:
        add_job(fake, name)
        fake.event("jobs", name, "FailedCreate", f"{name} is refused")
        fake.event("jobs", name, "SuccessfulDelete", "of no interest")
    return names


async def told(lists: EventLists, names: list[str]) -> list[list[str] | None]:
    await lists.expect([JOBS] * len(names))
    found = [await lists.of(JOBS, name) for name in names]
    return [None if events is None else [event.message for event in events] for events in found]


@pytest.mark.parametrize(("count", "calls"), [(8, 8), (9, 1), (60, 1)])
async def test_many_are_asked_about_at_once(
    fake: FakeKubernetes, lists: EventLists, count: int, calls: int
) -> None:
    names = happen(fake, count)
    assert await told(lists, names) == [[f"{name} is refused"] for name in names]
    assert len(fake.seen("list", "events")) == calls
    fake.event("jobs", names[0], "FailedCreate", "again")
    assert (await told(lists, names))[0] == [f"{names[0]} is refused", "again"], "each time anew"


async def test_a_namespace_with_very_many_events_is_read_to_a_bound_once(
    fake: FakeKubernetes, lists: EventLists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_lists, "_MOST", 10)
    names = happen(fake, 20)
    for round_ in (1, 2):
        assert await told(lists, names) == [[f"{name} is refused"] for name in names]
        assert len(fake.seen("list", "events")) == 1 + 20 * round_


async def test_who_may_not_read_them_is_told_so_once_for_all(fake: FakeKubernetes, lists: EventLists) -> None:
    names = happen(fake, 20)
    fake.deny("list", "events")
    assert await told(lists, names) == [None] * 20
    assert lists.closed == {"default"}
    assert len(fake.seen("list", "events")) == 1


class Answers:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def refused(self, job: TrackedJob, why: Refusal) -> None:
        self.said[job.name] = why.words

    def unexplained(self, job: TrackedJob) -> None: ...

    def noted(self, job: TrackedJob, attempt: Attempt, why: Standstill | None) -> None: ...


async def test_jobs_without_pods_cost_one_list_a_round(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    jobs, answers = Jobs(), Answers()
    for number in range(30):
        job = job_of(number)
        job.created, job.parallelism = 0.0, 1
        jobs.add(job)
        add_job(fake, job.name)
        fake.event("jobs", job.name, "FailedCreate", f"the webhook dislikes number {number}")
    asking = asyncio.ensure_future(Inquirer(client, jobs, answers).run())
    await asyncio.sleep(8)
    asking.cancel()
    assert len(fake.seen("list", "events")) == 1
    assert len(answers.said) == 30
    assert all(f"number {job.batch.name[5:]}" in answers.said[job.name] for job in jobs)
