"""What is typed behind `headway cluster fault` is what the cluster is told."""

import argparse
import shlex
from typing import Any

import pytest

from headway.localcluster.fault_command import add_parser, fault_of
from headway.localcluster.faults import Fault, Faults

ACTIONS = {
    "kill-node node-1": {"kind": "KillNode", "node": "node-1", "after": 3.0},
    "start-node node-1": {"kind": "StartNode", "node": "node-1"},
    "preempt a -n team": {"kind": "PreemptPod", "pod": "a", "namespace": "team"},
    "compact": {"kind": "Compact"},
    "drop-watches": {"kind": "DropWatches"},
    "freeze-watches --seconds 2": {"kind": "FreezeWatches", "seconds": 2.0},
}

SWITCHES = {
    "slow-pull 'python:*' --seconds 5": Fault("SlowPull", image="python:*", seconds=5.0),
    "pull-failure --message no --count 2": Fault("PullFailure", message="no", count=2),
    "api --status 429 --resource pods --retry-after 2": Fault(
        "Api", status=429, resource="pods", retry_after=2
    ),
    "api --status 0 --method POST --after": Fault("Api", status=0, method="POST", after=True),
}


def told(typed: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state")
    add_parser(parser.add_subparsers(dest="command"))
    return fault_of(vars(parser.parse_args(["fault", *shlex.split(typed)])))


@pytest.mark.parametrize(("typed", "spec"), ACTIONS.items(), ids=ACTIONS)
def test_what_is_done_at_once(typed: str, spec: dict[str, Any]) -> None:
    assert told(typed) == spec


@pytest.mark.parametrize(("typed", "fault"), SWITCHES.items(), ids=SWITCHES)
def test_what_is_switched_on(typed: str, fault: Fault) -> None:
    faults = Faults()
    faults.switch_on(told(typed))
    assert faults.listed() == [vars(fault)]
