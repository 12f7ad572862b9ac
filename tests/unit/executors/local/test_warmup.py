"""The zygote's process that is started before the launcher is loaded."""

import os
from collections.abc import Iterator

import pytest

from headway import FlowSpec, kubernetes, step
from headway.executors.local import warmup
from headway.executors.local.warmup import CAN_FORK, take, warm_up

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system has no zygote")


class MixedFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @kubernetes
    @step
    def end(self):
        pass


class FarFlow(FlowSpec):
    @kubernetes(cpu=2)
    @step
    def start(self):
        self.next(self.end)

    @kubernetes
    @step
    def end(self):
        pass


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    warmup._drop()


def is_waiting() -> bool:
    return warmup._waiting is not None


def test_what_was_started_early_is_taken_once() -> None:
    warm_up(MixedFlow, ["run", "--alpha", "3"])
    early = warmup._waiting
    taken = take()
    assert taken is early
    another = take()
    assert another.process.pid != taken.process.pid
    for each in (taken, another):
        each.drop()


@pytest.mark.parametrize(
    ("flow", "typed"),
    [
        (FarFlow, "run"),
        (MixedFlow, "run --help"),
        (MixedFlow, "run --dry-run"),
        (MixedFlow, "resume --clone-only"),
        (MixedFlow, "run --with kubernetes:cpu=2"),
        (MixedFlow, "run --with=kubernetes"),
    ],
)
def test_nothing_is_started_where_no_step_runs_here(flow: type, typed: str) -> None:
    warm_up(flow, typed.split())
    assert not is_waiting()


def test_one_that_nobody_takes_ends() -> None:
    warm_up(MixedFlow, ["run"])
    early = warmup._waiting
    assert early is not None
    warmup._drop()
    assert early.process.returncode is not None
    assert not is_waiting()


def test_one_whose_launcher_is_gone_ends_by_itself() -> None:
    early = warmup.start()
    early.socket.close()
    assert early.process.wait(60) == 0


def test_variables_that_changed_meanwhile_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    early = warmup.start()
    ours, theirs = warmup.socket.socketpair(warmup.socket.AF_UNIX, warmup.socket.SOCK_SEQPACKET)
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    early._replace(socket=ours).tell("/store", {"kind": "path"})
    told = warmup.json.loads(theirs.recv(65536))
    assert told == {"store": "/store", "code": {"kind": "path"}, "environ": {"KUBECONFIG": "/somewhere"}}
    assert os.environ["KUBECONFIG"] == "/somewhere"
    early.drop()
    ours.close()
    theirs.close()
