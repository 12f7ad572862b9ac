"""The branch of a run, from ``@project`` and the command line; and what has no effect, told once."""

from typing import Any

import pytest

from headway.errors import FlowDefinitionError, UsageError
from headway.flow.cards import NO_CARDS
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph, Node
from headway.launch.notices import notices
from headway.launch.project import resolve_project
from headway.store.batch import Batch, Code, Project, TaskSpec


def graph(**attributes: Any) -> Graph:
    spec = DecoratorSpec("project", {"name": "fraud", **attributes}, "flow.py:3")
    return Graph("Train", [Node("start", "end")], "start", "start", decorators=[spec])


@pytest.mark.parametrize(
    ("written", "branch", "production", "full", "user_branch", "is_production"),
    [
        ({}, None, False, "user.ann", True, False),
        ({}, "", False, "user.ann", True, False),
        ({"branch": ""}, None, True, "prod", False, True),
        ({}, "exp", False, "test.exp", False, False),
        ({}, None, True, "prod", False, True),
        ({}, "exp", True, "prod.exp", False, True),
        ({"branch": "exp"}, None, False, "test.exp", False, False),
        ({"branch": "exp"}, "exp", True, "prod.exp", False, True),
        ({"production": True}, None, False, "prod", False, True),
        ({"production": False}, None, False, "user.ann", True, False),
    ],
)
def test_the_branch(
    written: dict[str, Any],
    branch: str | None,
    production: bool,
    full: str,
    user_branch: bool,
    is_production: bool,
) -> None:
    found = resolve_project(graph(**written), "ann", branch, production)
    assert found == Project("fraud", full, f"fraud.{full}.Train", user_branch, is_production)


def test_a_flow_without_project_has_none() -> None:
    assert resolve_project(Graph("F", [Node("a", "end")], "a", "a"), "ann", None, False) is None


@pytest.mark.parametrize(
    ("written", "branch", "production"), [({"branch": "a"}, "b", False), ({"production": False}, None, True)]
)
def test_decorator_and_command_line_must_not_contradict(
    written: dict[str, Any], branch: str | None, production: bool
) -> None:
    with pytest.raises(FlowDefinitionError, match="say different things"):
        resolve_project(graph(**written), "ann", branch, production)


@pytest.mark.parametrize("branch", ["A", "a.b", "a b", "x" * 129])
def test_a_branch_needs_a_possible_name(branch: str) -> None:
    with pytest.raises(UsageError, match=r"^--branch="):
        resolve_project(graph(), "ann", branch, False)


def test_a_batch_keeps_the_project() -> None:
    project = Project("fraud", "prod", "fraud.prod.Train", user_branch=False, production=True)
    code = Code("path", "flow.py", ("__main__", "F"))
    batch = Batch("F", "1", "start", "start-1", code, (TaskSpec("1", 0),), project=project)
    assert Batch.decode(batch.encode()) == batch


def test_what_has_no_effect_is_told_once_each() -> None:
    steps = [
        Node("start", "linear", ("end",), decorators=(DecoratorSpec("card"), DecoratorSpec("card"))),
        Node("end", "end", decorators=(DecoratorSpec("card"), DecoratorSpec("conda", {"disabled": True}))),
    ]
    flow = Graph("F", steps, "start", "end", decorators=[DecoratorSpec("schedule"), DecoratorSpec("project")])
    told = notices(flow)
    assert [line.split(":")[0] for line in told] == ["@schedule has no effect", "@card has no effect"]


def test_cards_are_told_of_once_however_they_are_used() -> None:
    flow = Graph("F", [Node("a", "end", decorators=(DecoratorSpec("card"),))], "a", "a")
    flow.notes = (NO_CARDS,)
    assert notices(flow) == []


def test_who_asks_for_conda_is_told_what_to_use_instead() -> None:
    pinned = {"packages": {"pandas": "2"}}
    node = Node("a", "end", decorators=(DecoratorSpec("conda", pinned),))
    told = notices(Graph("F", [node], "a", "a", decorators=[DecoratorSpec("conda_base", pinned)]))
    assert len(told) == 2
    for line, instead in zip(told, ("@pypi_base brings packages", "@pypi brings packages"), strict=True):
        assert "has no effect: no conda environment is made" in line
        assert instead in line
        assert "@kubernetes(image=…)" in line
