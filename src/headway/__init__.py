"""Headway: run any step of a Python flow on any Kubernetes.

The names here are the public ones. They are imported when first used: a pod and a step's process
pay only for what they touch.
"""

import sys

from headway.flow import entry as _entry
from headway.plain import TYPE_CHECKING, Any
from headway.version import VERSION as _VERSION

if TYPE_CHECKING:
    from headway.client import (
        DataArtifact,
        Flow,
        Run,
        Step,
        Task,
        default_metadata,
        default_namespace,
        get_metadata,
        get_namespace,
        inspect_spin,
        metadata,
        namespace,
    )
    from headway.datatools import S3
    from headway.flow.config_value import ConfigValue
    from headway.flow.configs import Config
    from headway.flow.current import current
    from headway.flow.decorators import (
        batch,
        card,
        catch,
        conda,
        environment,
        kubernetes,
        parallel,
        pypi,
        pytorch_parallel,
        resources,
        retry,
        secrets,
        timeout,
    )
    from headway.flow.delayed import config_expr
    from headway.flow.flow_decorators import (
        conda_base,
        exit_hook,
        project,
        pypi_base,
        trigger,
        trigger_on_finish,
    )
    from headway.flow.include_file import IncludeFile
    from headway.flow.many import parallel_imap_unordered, parallel_map
    from headway.flow.mutable_flow import MutableFlow
    from headway.flow.mutable_step import MutableStep
    from headway.flow.operator_settings import (
        DockerSettings,
        KubernetesPodSettings,
        KubernetesStepOperatorSettings,
        ResourceSettings,
        StepRetryConfig,
    )
    from headway.flow.packaged import package_sources
    from headway.flow.parameters import Parameter
    from headway.flow.parsers import (
        conda_environment_yml_parser,
        pyproject_toml_parser,
        requirements_txt_parser,
        yaml_parser,
    )
    from headway.flow.pipeline import pipeline
    from headway.flow.profile import profile
    from headway.flow.spec import FlowSpec
    from headway.flow.step import step
    from headway.flow.user_decorators import (
        USER_SKIP_STEP,
        FlowMutator,
        StepMutator,
        UserStepDecorator,
        user_step_decorator,
    )
    from headway.flow.values import JSONType
    from headway.runner import ExecutingRun, ExecutingTask, NBRunner, Runner

__version__ = _VERSION

_PLACES = {
    "S3": "headway.datatools",
    "MutableFlow": "headway.flow.mutable_flow",
    "MutableStep": "headway.flow.mutable_step",
    **dict.fromkeys(
        ("USER_SKIP_STEP", "FlowMutator", "StepMutator", "UserStepDecorator", "user_step_decorator"),
        "headway.flow.user_decorators",
    ),
    "Config": "headway.flow.configs",
    "ConfigValue": "headway.flow.config_value",
    "FlowSpec": "headway.flow.spec",
    "IncludeFile": "headway.flow.include_file",
    "JSONType": "headway.flow.values",
    "Parameter": "headway.flow.parameters",
    "config_expr": "headway.flow.delayed",
    "package_sources": "headway.flow.packaged",
    "parallel_imap_unordered": "headway.flow.many",
    "parallel_map": "headway.flow.many",
    "pipeline": "headway.flow.pipeline",
    **dict.fromkeys(
        (
            "DockerSettings",
            "KubernetesPodSettings",
            "KubernetesStepOperatorSettings",
            "ResourceSettings",
            "StepRetryConfig",
        ),
        "headway.flow.operator_settings",
    ),
    "profile": "headway.flow.profile",
    "current": "headway.flow.current",
    "step": "headway.flow.step",
    **dict.fromkeys(
        (
            "batch",
            "card",
            "catch",
            "conda",
            "environment",
            "kubernetes",
            "parallel",
            "pypi",
            "pytorch_parallel",
            "resources",
            "retry",
            "secrets",
            "timeout",
        ),
        "headway.flow.decorators",
    ),
    # Without @schedule, whose name is that of a package here; headway-metaflow has it.
    **dict.fromkeys(
        ("conda_base", "exit_hook", "project", "pypi_base", "trigger", "trigger_on_finish"),
        "headway.flow.flow_decorators",
    ),
    **dict.fromkeys(
        (
            "conda_environment_yml_parser",
            "pyproject_toml_parser",
            "requirements_txt_parser",
            "yaml_parser",
        ),
        "headway.flow.parsers",
    ),
    **dict.fromkeys(
        (
            "DataArtifact",
            "Flow",
            "Run",
            "Step",
            "Task",
            "default_metadata",
            "default_namespace",
            "get_metadata",
            "get_namespace",
            "inspect_spin",
            "metadata",
            "namespace",
        ),
        "headway.client",
    ),
    **dict.fromkeys(("ExecutingRun", "ExecutingTask", "NBRunner", "Runner"), "headway.runner"),
}

#: Modules of public names that are there without being imported by name.
_MODULES = frozenset({"client", "errors", "runner"})

#: What is not in a pod, where flow files that name it are imported all the same.
_LAUNCHERS = frozenset({"headway.runner"})

__all__ = [
    "S3",
    "USER_SKIP_STEP",
    "Config",
    "ConfigValue",
    "DataArtifact",
    "DockerSettings",
    "ExecutingRun",
    "ExecutingTask",
    "Flow",
    "FlowMutator",
    "FlowSpec",
    "IncludeFile",
    "JSONType",
    "KubernetesPodSettings",
    "KubernetesStepOperatorSettings",
    "MutableFlow",
    "MutableStep",
    "NBRunner",
    "Parameter",
    "ResourceSettings",
    "Run",
    "Runner",
    "Step",
    "StepMutator",
    "StepRetryConfig",
    "Task",
    "UserStepDecorator",
    "batch",
    "card",
    "catch",
    "conda",
    "conda_base",
    "conda_environment_yml_parser",
    "config_expr",
    "current",
    "default_metadata",
    "default_namespace",
    "environment",
    "exit_hook",
    "get_metadata",
    "get_namespace",
    "inspect_spin",
    "kubernetes",
    "metadata",
    "namespace",
    "package_sources",
    "parallel",
    "parallel_imap_unordered",
    "parallel_map",
    "pipeline",
    "profile",
    "project",
    "pypi",
    "pypi_base",
    "pyproject_toml_parser",
    "pytorch_parallel",
    "requirements_txt_parser",
    "resources",
    "retry",
    "secrets",
    "step",
    "timeout",
    "trigger",
    "trigger_on_finish",
    "user_step_decorator",
    "yaml_parser",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if name in _MODULES:
        __import__(f"headway.{name}")
        return sys.modules[f"headway.{name}"]
    if place is None:
        raise AttributeError(f"module 'headway' has no attribute '{name}'")
    try:
        __import__(place)
    except ModuleNotFoundError as error:
        if place not in _LAUNCHERS or error.name != place:
            raise
        value: Any = _not_in_pods(name)
    except ImportError as error:
        from headway.flow.shadows import hidden_module  # only on the way to an error

        told = hidden_module(error)
        if told is None:
            raise
        raise ImportError(f"{told} Rename it.") from None
    else:
        value = getattr(sys.modules[place], name)
    globals()[name] = value
    return value


def _not_in_pods(name: str) -> Any:
    """Stands for a name that only a launcher has: importing it is fine, using it is one clear error."""

    def refuse(*_: object, **__: object) -> None:
        from headway.errors import UsageError  # only on the way to that error

        raise UsageError(
            f"{name} is not there in a pod.",
            "Use it where the flow is started, or in a step that runs there.",
        )

    return type(name, (), {"__init__": refuse})


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


def _start_pipeline(pipeline: Any, given: Any, named: Any) -> Any:
    # As for a flow; what of the command line is loaded says by itself what it lacks.
    from headway.cli.first import begin_pipeline

    return begin_pipeline(pipeline, given, named)


def _start(flow_class: Any) -> None:
    # The command line stands above the flow layer and is not for pods: this is the one hook up to it.
    try:
        from headway.cli.first import begin

        begin(flow_class)
    except KeyboardInterrupt:
        # Pressed while the command line was being loaded.
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    except (ImportError, AttributeError) as error:
        from headway.flow.shadows import hidden_module  # as above

        told = hidden_module(error)
        if told is None:
            raise
        sys.stderr.write(f"This cannot be done:\n    {told}\n    Rename it.\n")
        sys.exit(2)


_entry.register(_start)
_entry.register_pipelines(_start_pipeline)
_entry.keep_standard_module(getattr(sys.modules["__main__"], "__file__", None) or "")
