"""What a launcher keeps of pods that ended and are still there to be looked at: nothing, however many there are."""

import asyncio
import gc
import os
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import headway
from headway.executors.kubernetes.executor import KubernetesExecutor
from headway.executors.kubernetes.labels import FLOW as FLOW_LABEL
from headway.executors.kubernetes.labels import RUN as RUN_LABEL
from headway.testing.executor_suite import FLOW, RUN
from headway.testing.fake_kubernetes import FakeKubernetes

#: Pods that come and end; a variable makes it as many as one likes to measure.
MANY = int(os.environ.get("HEADWAY_TEST_ENDED_PODS", "350"))
AT_A_TIME = 50

#: Bytes for each of them; what a decoder of JSON keeps, however many come, is most of it. One that runs costs thousands.
MOST = 100

_OURS = Path(headway.__file__).parent
_FILTERS = [
    tracemalloc.Filter(True, str(_OURS / "*")),
    tracemalloc.Filter(False, str(_OURS / "testing" / "*")),
]


def kept() -> int:
    """Bytes that the launcher's own code holds."""
    gc.collect()
    traces = tracemalloc.take_snapshot().filter_traces(_FILTERS)
    return sum(each.size for each in traces.statistics("filename"))


def pod(number: int) -> dict[str, Any]:
    labels = {FLOW_LABEL: FLOW, RUN_LABEL: RUN, "job-name": f"job-{number}", "team": "a" * 40}
    about = {"name": f"pod-{number}", "labels": labels, "annotations": {"note": "x" * 200}}
    return {"kind": "Pod", "metadata": about, "spec": {"nodeName": "node1"}, "status": {"phase": "Running"}}


@pytest.fixture
async def opened(executor: KubernetesExecutor) -> AsyncIterator[KubernetesExecutor]:
    await executor.open(lambda _: None)
    yield executor
    await executor.close(now=True)


async def come(fake: FakeKubernetes, numbers: range) -> list[dict[str, Any]]:
    """Pods come, a few at a time."""
    made: list[dict[str, Any]] = []
    for number in numbers:
        made.append(fake.state.add("pods", "default", pod(number)))
        if number % 50 == 0:
            await asyncio.sleep(0.1)
    await asyncio.sleep(5)
    return made


async def end(fake: FakeKubernetes, pods: list[dict[str, Any]]) -> None:
    for number, each in enumerate(pods):
        fake.state.update("pods", {**each, "status": {"phase": "Succeeded"}})
        if number % 50 == 0:
            await asyncio.sleep(0.1)
    await asyncio.sleep(5)


@pytest.mark.budget(10)
async def test_pods_that_ended_cost_no_memory(opened: KubernetesExecutor, fake: FakeKubernetes) -> None:
    tracemalloc.start()
    try:
        await end(fake, await come(fake, range(AT_A_TIME)))
        before, running = kept(), 0
        for first in range(AT_A_TIME, MANY, AT_A_TIME):
            pods = await come(fake, range(first, first + AT_A_TIME))
            running = running or kept() - before
            await end(fake, pods)
        grown = kept() - before
    finally:
        tracemalloc.stop()
    known, rest = running / AT_A_TIME, grown / (MANY - AT_A_TIME)
    print(f"{known:.0f} bytes for each pod that is there, {rest:.0f} for each that has ended")
    assert known > 10 * MOST, "it is known of, or this measures nothing"
    assert rest < MOST
