"""``import zenml``: the names are Headway's, and what there is not says so."""

from importlib import import_module
from types import ModuleType

import pytest

import headway


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("zenml", "step"),
        ("zenml", "pipeline"),
        ("zenml.steps", "step"),
        ("zenml.pipelines", "pipeline"),
        ("zenml.config", "DockerSettings"),
        ("zenml.config", "ResourceSettings"),
        ("zenml.config", "StepRetryConfig"),
        ("zenml.config.retry_config", "StepRetryConfig"),
        ("zenml.integrations.kubernetes.flavors", "KubernetesStepOperatorSettings"),
        ("zenml.integrations.kubernetes.pod_settings", "KubernetesPodSettings"),
    ],
)
def test_names_are_ours(zenml: ModuleType, module: str, name: str) -> None:
    assert getattr(import_module(module), name) is getattr(headway, name)


def test_a_logger_and_an_artifact_config(zenml: ModuleType) -> None:
    assert import_module("zenml.logger").get_logger("a").name == "a"
    assert zenml.ArtifactConfig(name="rows", version="1").name == "rows"


def test_what_there_is_not_says_what_to_use_instead(zenml: ModuleType) -> None:
    with pytest.raises(ImportError, match=r"does not have ZenML's get_step_context. headway.current tells"):
        zenml.get_step_context  # noqa: B018 - as an import does
    with pytest.raises(ImportError, match="does not have ZenML's client"):
        import_module("zenml.client")
    with pytest.raises(ImportError, match=r"docs/pipelines\.md"):
        zenml.show  # noqa: B018
