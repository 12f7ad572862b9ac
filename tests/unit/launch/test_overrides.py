"""``--override``: what it may say, what it wins over, and that it says so."""

from pathlib import Path
from typing import Any

import pytest

from headway.config.sources import Configuration
from headway.errors import HeadwayError, SettingsError, UsageError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.launch.overrides import parse_override
from headway.launch.steps import PlannedStep, plan_steps


def plan(tmp_path: Path, *texts: str, **attributes: Any) -> dict[str, PlannedStep]:
    pod = DecoratorSpec("kubernetes", attributes, "flow.py:3")
    nodes = [
        Node("start", "linear", ("train",), decorators=(pod,)),
        Node("train", "linear", ("end",), decorators=(pod,)),
        Node("end", "end"),
    ]
    graph = Graph("Sample", nodes, "start", "end")
    overrides = [parse_override(text) for text in texts]
    return plan_steps(graph, Configuration.load({"HEADWAY_KUBERNETES_DISK": "77"}, tmp_path), overrides)


def value(step: PlannedStep, name: str) -> object:
    return getattr(step.kubernetes, name)


def test_it_wins_over_decorator_and_configuration_and_says_so(tmp_path: Path) -> None:
    steps = plan(tmp_path, "memory=800,disk=5", memory=4000)
    for name in ("start", "train"):
        assert (value(steps[name], "memory"), value(steps[name], "disk")) == (800, 5)
        assert steps[name].provenance["memory"] == "--override memory=800,disk=5"
        said = (
            "memory is 800 (--override memory=800,disk=5), not 4000 (@kubernetes on step {0}, flow.py:3).",
            "disk is 5 (--override memory=800,disk=5), not 77 (HEADWAY_KUBERNETES_DISK).",
        )
        assert steps[name].warnings[:2] == tuple(f"Step {name}: {each.format(name)}" for each in said)


def test_one_for_a_step_is_for_that_step_alone_and_wins_over_one_for_all(tmp_path: Path) -> None:
    steps = plan(tmp_path, "train:cpu=4", "cpu=2,memory=50", cpu=1)
    assert (value(steps["train"], "cpu"), value(steps["train"], "memory")) == (4, 50)
    assert value(steps["start"], "cpu") == 2


def test_it_mends_what_was_written_wrong_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        plan(
            tmp_path,
            volume_mounts=[{"name": "data", "mountPath": "/data"}],
            tmpfs_path="/data",
            use_tmpfs=True,
        )
    steps = plan(
        tmp_path,
        "tmpfs_path=/scratch",
        volumes=[{"name": "data", "emptyDir": {}}],
        volume_mounts=[{"name": "data", "mountPath": "/data"}],
        tmpfs_path="/data",
        use_tmpfs=True,
    )
    assert value(steps["train"], "tmpfs_path") == "/scratch"


def test_json_and_configuration_only_settings(tmp_path: Path) -> None:
    steps = plan(tmp_path, 'train:labels={"team": "ml"},container_registry=registry.example.com')
    assert value(steps["train"], "labels") == {"team": "ml"}
    assert str(value(steps["train"], "image")).startswith("registry.example.com/")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("memory", "not of the form key=value"),
        ("", "nothing to override"),
        ("cpu=1,cpu=2", "'cpu' is given twice"),
        ("walk:cpu=1", "no step walk; it has start, train, end"),
        ("end:cpu=1", "step end runs on this machine"),
        ("memory=lots", "memory='lots' (--override memory=lots) is not possible"),
        ("memroy=1", "Did you mean memory?"),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(tmp_path, text)
    assert words in str(caught.value)


def test_with_no_pod_at_all_it_is_refused(tmp_path: Path) -> None:
    graph = Graph("Sample", [Node("start", "end")], "start", "start")
    with pytest.raises(HeadwayError, match="every step runs on this machine"):
        plan_steps(graph, Configuration.load({}, tmp_path), [parse_override("cpu=1")])
