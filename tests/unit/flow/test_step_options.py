"""What @step and @pipeline are given in ZenML's words, as decorators."""

from typing import Any

import pytest

from headway.errors import FlowDefinitionError
from headway.flow.decorators import kubernetes, resources
from headway.flow.operator_settings import (
    DockerSettings,
    KubernetesPodSettings,
    KubernetesStepOperatorSettings,
    ResourceSettings,
    StepRetryConfig,
)
from headway.flow.step_options import StepOptions, merged, settle


def options(step: dict[str, Any], pipeline: dict[str, Any] | None = None, *decorators: Any) -> StepOptions:
    def train() -> None: ...

    written: Any = train
    for decorator in reversed(decorators):
        written = decorator(written)
    return settle(pipeline or {}, step, written, train)


def attributes(found: StepOptions) -> dict[str, dict[str, Any]]:
    return {spec.name: dict(spec.attributes) for spec in found.decorators}


@pytest.mark.parametrize("operator", [True, "kubernetes", "my-cluster"])
def test_a_step_operator_is_kubernetes(operator: object) -> None:
    assert attributes(options({"step_operator": operator})) == {"kubernetes": {}}


@pytest.mark.parametrize("operator", [None, False])
def test_without_one_a_step_stays_here(operator: object) -> None:
    assert options({"step_operator": operator}).decorators == ()


@pytest.mark.parametrize("key", ["step_operator", "step_operator.kubernetes", "step_operator:big"])
def test_three_ways_to_name_its_settings(key: str) -> None:
    settings = {key: KubernetesStepOperatorSettings(service_account_name="trainer")}
    found = options({"step_operator": "big", "settings": settings})
    assert attributes(found) == {"kubernetes": {"service_account_name": "trainer"}}


def test_settings_of_the_pipeline_stand_below_the_steps_and_lists_are_replaced() -> None:
    below = {
        "pod_settings": {"labels": {"a": "1", "b": "1"}, "tolerations": [{"key": "x"}]},
        "privileged": True,
    }
    above = {"pod_settings": KubernetesPodSettings(labels={"b": "2"}, tolerations=[{"key": "y"}])}
    found = options(
        {"step_operator": True, "settings": {"step_operator": above}}, {"settings": {"step_operator": below}}
    )
    assert attributes(found)["kubernetes"] == {
        "pod_settings": {"labels": {"a": "1", "b": "2"}, "tolerations": [{"key": "y"}]},
        "privileged": True,
    }


def test_what_is_said_of_the_operator_by_name_is_above_what_is_said_of_its_kind() -> None:
    settings = {
        "step_operator:big": {"service_account_name": "named"},
        "step_operator": {"service_account_name": "short", "privileged": True},
    }
    found = options({"step_operator": "big", "settings": settings})
    assert attributes(found)["kubernetes"] == {"service_account_name": "named", "privileged": True}


def test_a_decorator_that_is_written_wins_over_settings() -> None:
    settings = {
        "step_operator": {"image": "a", "cpu": 1},
        "resources": ResourceSettings(cpu_count=2, gpu_count=1, memory="16GB"),
    }
    found = options({"settings": settings}, {}, kubernetes(cpu=4), resources(memory=100))
    # Without step_operator= the decorator sends it, with what the settings say besides.
    assert attributes(found) == {
        "kubernetes": {"image": "a", "cpu": 4},
        "resources": {"cpu": 2, "gpu": 1, "memory": 100},
    }
    assert found.pod == {"image": "a", "cpu": 1}


def test_memory_docker_retry_and_environment() -> None:
    docker = DockerSettings(
        parent_image="pytorch:2", requirements=["numpy==2.1.0"], environment={"A": "docker", "B": "docker"}
    )
    found = options(
        {
            "step_operator": True,
            "environment": {"A": "step"},
            "settings": {"docker": docker, "resources": {"memory": "1.5GiB"}},
            "retry": StepRetryConfig(max_retries=3, delay=30),
        },
        {"environment": {"A": "pipeline", "C": "pipeline"}, "retry": StepRetryConfig(max_retries=1)},
    )
    got = attributes(found)
    assert got["kubernetes"] == {"image": "pytorch:2"}
    assert got["pypi"]["packages"] == {"numpy": "2.1.0"}
    assert got["environment"] == {"vars": {"A": "step", "B": "docker", "C": "pipeline"}}
    assert got["resources"] == {"memory": 1611}
    assert got["retry"] == {"times": 3, "minutes_between_retries": 0.5}


def test_what_has_no_effect_is_named_and_what_is_so_anyway_is_not() -> None:
    found = options(
        {"enable_cache": True, "on_failure": print, "enable_step_logs": True, "model": None},
        {"enable_cache": False, "settings": {"orchestrator": {"x": 1}}},
    )
    assert found.ignored == (
        "@step(enable_cache=…) has no effect here.",
        "@step(on_failure=…) has no effect here.",
        "settings={'orchestrator': …} has no effect here.",
    )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"step_operator": "vertex"}, "Headway runs steps on Kubernetes alone"),
        ({"step_operator": 3}, "has step_operator=3"),
        ({"step_opperator": True}, "is given step_opperator=True, which @step does not take"),
        ({"name": "a b"}, "Step 'a b' has the name 'a b'"),
        ({"settings": [1]}, "has settings=\\[1\\]"),
        ({"settings": {"step_operator": 5}}, "has settings\\['step_operator'\\]=5"),
        ({"environment": "A=1"}, "has environment='A=1'"),
        ({"retry": {"times": 3}}, "has a retry with times"),
        ({"retry": {"delay": -1}}, "has a retry with delay=-1"),
        ({"settings": {"resources": {"memory": "16"}}}, "ResourceSettings\\(memory='16'\\)"),
        ({"settings": {"docker": {"requirements": "/gone.txt"}}}, "cannot be read"),
        (
            {"step_operator": True, "settings": {"step_operator": {"imagee": "a"}}},
            "does not support the attribute",
        ),
    ],
)
def test_mistakes_are_told(step: dict[str, Any], said: str) -> None:
    with pytest.raises(FlowDefinitionError, match=said) as caught:
        options(step)
    assert caught.value.hint


def test_merged_leaves_both_as_they_were() -> None:
    below, above = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(below, above) == {"a": {"b": 1, "c": 2}}
    assert (below, above) == ({"a": {"b": 1}}, {"a": {"c": 2}})
