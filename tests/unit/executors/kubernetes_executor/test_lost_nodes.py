"""What it costs to know of many nodes whether they answer."""

import asyncio
from typing import Any

from test_shares import job_of

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.lost_nodes import LostNodes
from headway.executors.kubernetes.tracked import Attempt, Jobs, TrackedJob
from headway.store.records import Failure
from headway.testing.fake_kubernetes import FakeKubernetes

NODES = 50


class Witness:
    """Writes down what it is told, and of which node."""

    def __init__(self) -> None:
        self.stood: list[tuple[str, str]] = []
        self.ended: list[str] = []

    def standing(self, job: TrackedJob, attempt: Attempt | None, reason: str, message: str) -> None:
        assert attempt is not None
        self.stood.append((attempt.node, reason))

    def over(self, job: TrackedJob, attempt: Attempt, failure: Failure) -> None:
        attempt.settling = True
        self.ended.append(attempt.node)


def node(number: int, status: str = "True") -> dict[str, Any]:
    ready = {"type": "Ready", "status": status}
    return {"kind": "Node", "metadata": {"name": f"node-{number}"}, "status": {"conditions": [ready]}}


async def test_many_nodes_have_their_turns_and_are_never_listed(
    fake: FakeKubernetes, client: KubernetesClient
) -> None:
    for number in range(NODES - 1):
        fake.state.add("nodes", "", node(number, "Unknown" if number == 7 else "True"))
    jobs, witness, job = Jobs(), Witness(), job_of(0, NODES)
    jobs.add(job)
    for index, attempt in job.attempts.items():
        attempt.started, attempt.node = True, f"node-{index}"
    looking = asyncio.ensure_future(LostNodes(client, jobs, witness, lambda *_: None).run())
    try:
        await asyncio.sleep(11)
        assert len(fake.seen(resource="nodes")) == 20, "no more at a time, however many there are"
        await asyncio.sleep(20)
        assert sorted(witness.stood) == [("node-49", "NodeSilent"), ("node-7", "NodeSilent")], (
            "in three looks"
        )
        await asyncio.sleep(60)
    finally:
        looking.cancel()
    asked = fake.seen(resource="nodes")
    assert {request.verb for request in asked} == {"get"}
    assert all(request.query == {"resourceVersion": "0"} for request in asked), (
        "the server need not look it up"
    )
    assert sorted(witness.ended) == ["node-49", "node-7"], "one that is gone and one that does not answer"
