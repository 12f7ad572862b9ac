"""``import zenml``: the names are Headway's, and what there is not says so."""

from importlib import import_module
from importlib.util import find_spec
from logging import ERROR, NullHandler, getLogger
from pkgutil import walk_packages
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
        ("zenml.config.docker_settings", "DockerSettings"),
        ("zenml.config.resource_settings", "ResourceSettings"),
        ("zenml.config.retry_config", "StepRetryConfig"),
        ("zenml.integrations.kubernetes.flavors", "KubernetesStepOperatorSettings"),
        (
            "zenml.integrations.kubernetes.flavors.kubernetes_step_operator_flavor",
            "KubernetesStepOperatorSettings",
        ),
        ("zenml.integrations.kubernetes.pod_settings", "KubernetesPodSettings"),
    ],
)
def test_names_are_ours(zenml: ModuleType, module: str, name: str) -> None:
    assert getattr(import_module(module), name) is getattr(headway, name)


def test_what_names_an_output_and_what_has_no_effect(zenml: ModuleType) -> None:
    assert zenml.ArtifactConfig(name="rows", version="1").name == "rows"
    assert import_module("zenml.artifacts.artifact_config").ArtifactConfig is zenml.ArtifactConfig
    assert repr(zenml.Model(name="best", version="1")) == "Model('best')"
    assert import_module("zenml.enums").ExecutionMode.FAIL_FAST == "fail_fast"


def test_a_logger_shows_what_it_is_told_from_info_on(
    zenml: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get_logger = import_module("zenml.logger").get_logger
    # What collects records for tests is a set-up of logging of its own.
    monkeypatch.setattr(getLogger(), "handlers", [])
    logger = get_logger("zenml_names.shown")
    assert get_logger("zenml_names.shown") is logger
    logger.info("rows: %s", 3)
    logger.debug("unseen")
    assert capsys.readouterr().err == "rows: 3\n"
    getLogger().handlers.append(NullHandler())
    logger.info("the program's own set-up shows it")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("ZENML_LOGGING_VERBOSITY", "error")
    assert get_logger("zenml_names.quiet").level == ERROR


def test_what_there_is_not_says_what_to_use_instead(zenml: ModuleType) -> None:
    with pytest.raises(ImportError, match=r"does not have ZenML's get_step_context. headway.current tells"):
        zenml.get_step_context  # noqa: B018 - as an import does
    with pytest.raises(ImportError, match=r"does not have ZenML's client. Read runs with headway.Flow"):
        import_module("zenml.client")
    with pytest.raises(ModuleNotFoundError, match=r"ZenML's integrations.mlflow. Name the packages"):
        import_module("zenml.integrations.mlflow.flavors")
    with pytest.raises(
        ImportError, match=r"ZenML's KubernetesOrchestratorSettings. The process that you start"
    ):
        from zenml.integrations.kubernetes.flavors import KubernetesOrchestratorSettings  # noqa: F401
    with pytest.raises(ImportError, match="ZenML's BaseStep"):
        from zenml.steps import BaseStep  # noqa: F401
    with pytest.raises(ImportError, match=r"docs/pipelines\.md"):
        zenml.show  # noqa: B018


def test_every_module_that_is_there_can_be_imported_from_its_package(zenml: ModuleType) -> None:
    from zenml import config, enums  # as Python asks the package for a name first

    assert (config.__name__, enums.__name__) == ("zenml.config", "zenml.enums")
    found = {each.name.rpartition(".")[2] for each in walk_packages(zenml.__path__, "zenml.")}
    known = import_module("zenml._missing")._MODULES
    assert {name for name in found if not name.startswith("_")} == known


def test_other_modules_that_are_not_there_are_nobodys_business(zenml: ModuleType) -> None:
    assert find_spec("zenmlish") is None
    with pytest.raises(ModuleNotFoundError, match="No module named 'zenmlish'"):
        import_module("zenmlish")
