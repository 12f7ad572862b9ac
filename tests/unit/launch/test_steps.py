"""From decorators to how each step runs."""

from pathlib import Path
from typing import Any

import pytest

from headway.config.sources import Configuration
from headway.errors import FlowDefinitionError, HeadwayError, SettingsError, UsageError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import CALL, Graph, Node
from headway.flow.late import parse_with
from headway.launch.overrides import Override, parse_override
from headway.launch.steps import PlannedStep, plan_steps, schedule_plan
from headway.schedule.plan import Plan, PlanNode, StepPolicy
from headway.store.batch import Catch, Gang, Secrets
from headway.store.records import INFRASTRUCTURE, USER


def spec(name: str, **attributes: Any) -> DecoratorSpec:
    return DecoratorSpec(name, attributes, "flow.py, line 3")


def plan(tmp_path: Path, *decorators: DecoratorSpec, kind: str = "end") -> PlannedStep:
    node = Node("start", kind, decorators=decorators)
    graph = Graph("Sample", [node], "start", "start")
    return plan_steps(graph, Configuration.load({}, tmp_path))["start"]


def test_a_bare_step_runs_here_once(tmp_path: Path) -> None:
    assert plan(tmp_path) == PlannedStep("start")
    assert plan(tmp_path).policy == StepPolicy({USER: 0}, 0.0)


@pytest.mark.parametrize(
    ("decorators", "times", "seconds"),
    [
        ((spec("retry"),), 3, 0.0),
        ((spec("retry"), spec("kubernetes")), 3, 120.0),
        ((spec("retry", times=5), spec("kubernetes")), 5, 120.0),
        ((spec("retry", times=0),), 0, 0.0),
        ((spec("retry", times=1, minutes_between_retries=0.5),), 1, 0.0),
        ((spec("retry", times=1, minutes_between_retries=0.5), spec("kubernetes")), 1, 30.0),
        ((spec("retry", minutes_between_retries=0), spec("kubernetes")), 3, 0.0),
        ((spec("kubernetes"),), 0, 0.0),
    ],
)
def test_retries(tmp_path: Path, decorators: tuple[DecoratorSpec, ...], times: int, seconds: float) -> None:
    step = plan(tmp_path, *decorators)
    assert (step.retries, step.retry_delay) == (times, seconds)
    assert step.policy.budget(USER) == times
    assert step.policy.budget(INFRASTRUCTURE) == 5


def test_a_call_of_a_pipeline_waits_wherever_it_runs(tmp_path: Path) -> None:
    step = plan(tmp_path, spec("retry", times=1, minutes_between_retries=0.5), kind=CALL)
    assert step.retry_delay == 30.0


def test_how_often_the_infrastructure_may_end_a_task_is_a_setting(tmp_path: Path) -> None:
    """``infrastructure_retries``."""
    step = plan(tmp_path, spec("kubernetes", infrastructure_retries=50))
    assert (step.policy.budget(INFRASTRUCTURE), step.policy.budget(USER)) == (50, 0)


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [({"seconds": 5}, 5.0), ({"minutes": 2, "seconds": 1}, 121.0), ({"hours": 1.5}, 5400.0)],
)
def test_timeout(tmp_path: Path, attributes: dict[str, Any], seconds: float) -> None:
    assert plan(tmp_path, spec("timeout", **attributes)).timeout == seconds


def limited(
    tmp_path: Path,
    said: dict[str, Any],
    environ: dict[str, str],
    overrides: tuple[Override, ...] = (),
    **hours: Any,
) -> tuple[int, str]:
    """How long the pods of a step with these settings, variables and @timeout may run, and who says so."""
    decorators = (spec("kubernetes", **said), *([spec("timeout", **hours)] if hours else []))
    graph = Graph("Sample", [Node("start", "end", decorators=decorators)], "start", "start")
    step = plan_steps(graph, Configuration.load(environ, tmp_path), overrides)["start"]
    assert step.kubernetes is not None
    return step.kubernetes.active_deadline_seconds, step.provenance["active_deadline_seconds"]


def test_a_general_limit_gives_way_to_a_longer_timeout_and_the_steps_own_holds(tmp_path: Path) -> None:
    hour = {"HEADWAY_DEFAULT_RUNTIME_LIMIT": "3600"}
    said = "@timeout on step start, flow.py, line 3"
    assert limited(tmp_path, {}, hour, hours=2) == (7200 + 900 + 30, said)
    assert limited(tmp_path, {}, hour, minutes=59) == (59 * 60 + 900 + 30, said), (
        "the image's time is not the code's"
    )
    assert limited(tmp_path, {}, hour, seconds=60) == (3600, "HEADWAY_DEFAULT_RUNTIME_LIMIT")
    assert limited(tmp_path, {}, hour) == (3600, "HEADWAY_DEFAULT_RUNTIME_LIMIT")
    assert limited(tmp_path, {}, {}, hours=200) == (720_000 + 900 + 30, said)
    assert limited(tmp_path, {}, {}, hours=2) == (432_000, "default")
    own = {"active_deadline_seconds": 600}
    assert limited(tmp_path, own, hour, hours=2) == (600, "@kubernetes on step start, flow.py, line 3")
    five_days = {"active_deadline_seconds": 432_000}
    assert limited(tmp_path, five_days, {}, hours=200)[0] == 432_000, "said, though it is the default's value"
    overridden = (parse_override("start:active_deadline_seconds=700"),)
    assert limited(tmp_path, {}, hour, overridden, hours=2)[0] == 700
    assert limited(tmp_path, {}, hour, hours=1e9)[0] == 2**31 - 1


def test_environment_values_are_text(tmp_path: Path) -> None:
    step = plan(tmp_path, spec("environment", vars={"COLOUR": "blue", "N": 3}))
    assert step.env == {"COLOUR": "blue", "N": "3"}


def test_environment_without_a_dict_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"vars='A=1' \(flow.py, line 3\)"):
        plan(tmp_path, spec("environment", vars="A=1"))


def test_resources_and_kubernetes_are_joined(tmp_path: Path) -> None:
    step = plan(tmp_path, spec("kubernetes", cpu=2), spec("resources", cpu=4, memory=8000))
    assert step.kubernetes is not None
    assert float(step.kubernetes.cpu) == 4
    assert "line 3" in step.provenance["cpu"]


def test_resources_alone_stay_here(tmp_path: Path) -> None:
    assert plan(tmp_path, spec("resources", cpu=4)).kubernetes is None


def test_what_was_attached_from_outside_says_so(tmp_path: Path) -> None:
    step = plan(tmp_path, parse_with("kubernetes:cpu=3"))
    assert step.kubernetes is not None
    assert step.provenance["cpu"] == "--with kubernetes:cpu=3"


def test_a_wrong_setting_says_on_which_step(tmp_path: Path) -> None:
    with pytest.raises(HeadwayError, match="start"):
        plan(tmp_path, spec("kubernetes", cpu=0))


@pytest.mark.parametrize("name", ["batch"])
def test_what_cannot_be_done_yet_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FlowDefinitionError, match=r"^Step start: "):
        plan(tmp_path, spec(name))


def test_a_caught_step_says_what_follows_and_falls_back(tmp_path: Path) -> None:
    step = plan(tmp_path, spec("catch", var="failed", print_exception=False))
    assert step.catch == Catch((), "failed", print_exception=False)
    assert step.policy.fallback
    assert not plan(tmp_path).policy.fallback


def test_a_step_runs_in_one_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both @batch and @kubernetes"):
        plan(tmp_path, spec("kubernetes"), parse_with("batch"))


def test_secrets_travel_with_what_is_configured_about_them(tmp_path: Path) -> None:
    node = Node(
        "start", "end", decorators=(spec("secrets", sources=["name"], role="r", allow_override=True),)
    )
    graph = Graph("Sample", [node], "start", "start")
    environ = {
        "METAFLOW_DEFAULT_SECRETS_BACKEND_TYPE": "aws-secrets-manager",
        "HEADWAY_AWS_SECRETS_MANAGER_DEFAULT_REGION": "eu-central-1",
    }
    found = plan_steps(graph, Configuration.load(environ, tmp_path))["start"].secrets
    settings = {
        "DEFAULT_SECRETS_BACKEND_TYPE": "aws-secrets-manager",
        "AWS_SECRETS_MANAGER_DEFAULT_REGION": "eu-central-1",
    }
    assert found == Secrets(("name",), "r", True, settings)
    assert plan(tmp_path, spec("secrets")).secrets is None


@pytest.mark.parametrize("source", ["name", "nowhere.name", {"type": "inline"}])
def test_a_secret_that_cannot_be_one_is_found_before_anything_runs(tmp_path: Path, source: Any) -> None:
    with pytest.raises(UsageError, match="@secrets on step 'start'"):
        plan(tmp_path, spec("secrets", sources=[source]))


@pytest.mark.parametrize(
    ("decorators", "gang"),
    [
        ((spec("parallel"),), Gang(0)),
        ((spec("pytorch_parallel", master_port=1234),), Gang(1234)),
        ((spec("parallel"), spec("kubernetes")), Gang(29500, 600.0)),
        ((spec("parallel"), spec("kubernetes", port=99, hostname_resolution_timeout=5)), Gang(99, 5.0)),
        ((spec("pytorch_parallel", master_port=7), spec("kubernetes", port=99)), Gang(7, 600.0)),
    ],
)
def test_where_the_ranks_of_a_gang_meet(
    tmp_path: Path, decorators: tuple[DecoratorSpec, ...], gang: Gang
) -> None:
    assert plan(tmp_path, *decorators).gang == gang


@pytest.mark.parametrize(
    ("decorators", "said"),
    [
        ((spec("parallel", num_nodes=1), spec("kubernetes")), "a gang of pods has at least 2"),
    ],
)
def test_what_a_gang_cannot_be(tmp_path: Path, decorators: tuple[DecoratorSpec, ...], said: str) -> None:
    with pytest.raises(FlowDefinitionError, match=said):
        plan(tmp_path, *decorators)


@pytest.mark.parametrize(
    ("decorators", "planned"),
    [
        ((spec("parallel", num_nodes=4),), PlanNode("start", end=True, gang=True, nodes=4)),
        (
            (spec("parallel"), spec("kubernetes")),
            PlanNode("start", end=True, gang=True, least=2, worker="{control}-worker-{worker}"),
        ),
    ],
)
def test_the_scheduler_knows_a_gang(decorators: tuple[DecoratorSpec, ...], planned: PlanNode) -> None:
    graph = Graph("Sample", [Node("start", "end", decorators=decorators)], "start", "start")
    assert schedule_plan(graph) == Plan.of("start", [planned])


def test_the_scheduler_knows_the_graphs_shape() -> None:
    graph = Graph(
        "Sample",
        [
            Node("start", "foreach", ("work",), foreach="items"),
            Node("work", "linear", ("join",)),
            Node("join", "join", ("end",), takes_inputs=True),
            Node("end", "end"),
        ],
        "start",
        "end",
    )
    assert schedule_plan(graph) == Plan.of(
        "start",
        [
            PlanNode("start", ("work",)),
            PlanNode("work", ("join",)),
            PlanNode("join", ("end",), join=True),
            PlanNode("end", end=True),
        ],
    )
