"""What @step and @pipeline are given in ZenML's words, as decorators."""

from typing import Any

import pytest

from headway.config.resolve import Layer, resolve_kubernetes
from headway.errors import FlowDefinitionError
from headway.flow.decorators import environment, kubernetes, resources
from headway.flow.operator_settings import (
    DockerSettings,
    KubernetesPodSettings,
    KubernetesStepOperatorSettings,
    ResourceSettings,
    StepRetryConfig,
    merged,
)
from headway.flow.step_options import StepOptions, settle


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
    # What the step speaks of is its own, also as far as the pipeline says it; the rest is a layer by itself.
    assert attributes(found)["kubernetes"] == {
        "pod_settings": {"labels": {"a": "1", "b": "2"}, "tolerations": [{"key": "y"}]},
    }
    assert found.general is not None
    assert found.general.attributes == {"privileged": True}
    assert found.decorators[0].beneath == (found.general,)


def test_an_image_is_said_by_whoever_says_it() -> None:
    docker = {"docker": DockerSettings(parent_image="general:1")}
    found = options({"step_operator": True}, {"settings": docker})
    assert attributes(found)["kubernetes"] == {}
    assert found.general is not None
    assert found.general.attributes == {"image": "general:1"}
    own = {"docker": {"parent_image": "own:1"}}
    found = options({"step_operator": True, "settings": own}, {"settings": docker})
    assert attributes(found)["kubernetes"] == {"image": "own:1"}


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
    # Without step_operator= the decorator sends it, and the settings say what it leaves open.
    assert attributes(found) == {
        "kubernetes": {"cpu": 4},
        "resources": {"cpu": 2, "gpu": 1, "memory": 100},
    }
    (pod,) = [spec for spec in found.decorators if spec.name == "kubernetes"]
    assert [dict(spec.attributes) for spec in pod.beneath] == [{"image": "a", "cpu": 1}]


def test_settings_and_a_decorator_may_call_one_thing_by_its_two_names() -> None:
    settings = {
        "step_operator": {
            "service_account_name": "of-settings",
            "pod_settings": {"labels": {"a": "1", "b": "1"}},
        }
    }
    found = options({"settings": settings}, {}, kubernetes(service_account="written", labels={"b": "2"}))
    (pod,) = found.decorators
    layers = [Layer(spec.attributes, spec.source) for spec in (pod, *pod.beneath)]
    resolved = resolve_kubernetes("train", decorator=layers[0], with_specs=layers[1:]).settings
    assert (resolved.service_account, dict(resolved.labels)) == ("written", {"a": "1", "b": "2"})


def test_what_zenml_takes_and_does_not_heed_is_left_out_with_a_word() -> None:
    found = options(
        {
            "step_operator": True,
            "settings": {"step_operator": {"pod_startup_timeout": 600, "privileged": True}},
        }
    )
    assert attributes(found) == {"kubernetes": {"privileged": True}}
    (note,) = found.ignored
    assert note.startswith(
        "KubernetesStepOperatorSettings(pod_startup_timeout=…) has no effect here: start_failure"
    )


def test_settings_are_checked_where_a_decorator_hides_them_too() -> None:
    with pytest.raises(FlowDefinitionError, match="does not support the attribute 'imagee'"):
        options({"settings": {"step_operator": {"imagee": "a"}}}, {}, kubernetes(cpu=4))


def test_variables_of_an_option_and_of_a_decorator_are_put_together() -> None:
    found = options({"environment": {"A": "option", "B": "option"}}, {}, environment(vars={"A": "written"}))
    assert attributes(found)["environment"] == {"vars": {"A": "written", "B": "option"}}


def test_what_an_image_would_hold_is_for_pods_alone() -> None:
    docker = {"docker": DockerSettings(requirements=["numpy"], environment={"A": "image"})}
    here = options({"environment": {"A": "step"}}, {"settings": docker})
    assert attributes(here) == {"environment": {"vars": {"A": "step"}}}
    assert [spec.name for spec in here.in_pods] == ["pypi", "environment"]
    there = options({"environment": {"A": "step"}, "step_operator": True}, {"settings": docker})
    assert attributes(there)["pypi"]["packages"] == {"numpy": ""}
    assert attributes(there)["environment"] == {"vars": {"A": "step"}}


@pytest.mark.parametrize("listed", ["zenml", "zenml==0.98.0", "ZenML[server]>=0.90"])
def test_zenml_itself_is_not_brought_to_pods(listed: str) -> None:
    docker = {"docker": DockerSettings(requirements=[listed, "numpy"])}
    found = options({"step_operator": True, "settings": docker})
    assert attributes(found)["pypi"]["packages"] == {"numpy": ""}
    assert found.ignored == (
        "DockerSettings(requirements=…): zenml is not installed, Headway stands for it.",
    )
    assert "pypi" not in attributes(
        options({"step_operator": True, "settings": {"docker": {"requirements": [listed]}}})
    )


def test_of_an_operator_that_is_not_named_any_settings_are_meant() -> None:
    settings = {"step_operator:big": {"service_account_name": "trainer"}}
    assert attributes(options({"step_operator": True, "settings": settings})) == {
        "kubernetes": {"service_account_name": "trainer"}
    }
    other = options({"step_operator": "small"}, {"settings": settings})
    assert (attributes(other), other.left) == ({"kubernetes": {}}, {"step_operator:big"})


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
        {
            "enable_cache": True, "on_failure": print, "enable_step_logs": True, "model": None, "extra": {},
            "step_type": "llm_call", "settings": {"experiment_tracker.mlflow": {"x": 1}},
        },
        {"settings": {"orchestrator": {"x": 1}}},
    )  # fmt: skip
    assert found.ignored == (
        "@step(enable_cache=…) has no effect here: `resume` takes over what an earlier run has done.",
        "@step(on_failure=…) has no effect here: a decorator of your own (user_step_decorator) does that.",
        "@step(step_type=…) has no effect here.",
        "settings={'experiment_tracker.mlflow': …} has no effect here.",
    )
    assert found.left == {"orchestrator"}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"step_operator": "vertex"}, "Headway runs steps on Kubernetes alone"),
        ({"step_operator": 3}, "has step_operator=3"),
        ({"step_opperator": True}, "is given step_opperator=True, which @step does not take"),
        ({"name": "a b"}, "Step 'a b' has the name 'a b'"),
        ({"name": "index"}, "Step 'index' has the name 'index'"),
        ({"parameters": ["rate"]}, "has parameters=\\['rate'\\]"),
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
