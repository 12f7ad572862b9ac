"""A run of pods says in the end what they used, once, before it says how it ended."""

from pathlib import Path

import pytest
from driven_runs import Told, to

from headway.config.sources import Configuration
from headway.executors.base import Executor
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.launch import run as launching
from headway.launch.origin import Origin
from headway.launch.outset import Outset
from headway.launch.request import RunRequest
from headway.store.base import ObjectStore
from headway.store.batch import Code
from headway.store.records import SUCCEEDED
from headway.testing.fake_executor import Act, FakeExecutor

POD = DecoratorSpec("kubernetes", {"memory": 8000, "cpu": 1})
GRAPH = Graph(
    "Sample",
    [Node("start", "linear", ("end",), decorators=(POD,)), Node("end", "end", decorators=(POD,))],
    "start",
    "end",
)


async def no_cluster(*_: object) -> object:
    return object()


def pods(outset: Outset, store: ObjectStore, *_: object) -> Executor:
    """Pods as a script has them."""
    executor = FakeExecutor(store)
    for step, outcome, peak in (("start", to("end"), "312000000"), ("end", None, "64000000")):
        facts = {"peak-memory": peak, "cpu-seconds": "1.000", "kubernetes-pod-name": f"sample-{step}-x"}
        executor.script(Act(outcome=outcome, metadata=facts), step)
    return executor


def test_what_pods_used_is_told_at_the_end_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(launching, "prepare_cluster", no_cluster)
    monkeypatch.setattr(launching, "kubernetes_executor", pods)
    code = Code("path", "flow.py", ("__main__", "Sample"), root=str(tmp_path))
    # What is packed else is all that the tests before this one imported.
    monkeypatch.setattr("headway.launch.shipping.ship", lambda *_: code)
    environ = {"HEADWAY_USER": "ann", "HEADWAY_DATASTORE_SYSROOT_LOCAL": str(tmp_path / "data")}
    told = Told()
    end = launching.run_flow(
        RunRequest(GRAPH, Origin(code), pods_see_folders=True), Configuration(environ, str(tmp_path)), told
    )
    assert end.outcome == SUCCEEDED
    calls = [call[:2] for call in told.calls]
    figures = "Used by pods, at most: start 312 MB (asked for 8000); end 64 MB (asked for 8000)."
    advice = "Steps start, end ask for 8000 MB each and used 312: memory=400 would do."
    assert calls[-3:] == [("note", figures), ("note", advice), ("run_ended", end)]
