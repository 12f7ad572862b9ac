"""``import metaflow`` for flow files written for Metaflow: every name here is one of Headway's.

Nothing is done in this package, it only gives names. Those that Headway does not have yet raise an
ImportError that says so and what to use instead.
"""

import os
from typing import TYPE_CHECKING

from metaflow._aliases import aliases
from metaflow._finder import install as _install
from metaflow._installed import refuse_beside_metaflow

if TYPE_CHECKING:
    from headway import (
        S3,
        USER_SKIP_STEP,
        Config,
        ConfigValue,
        DataArtifact,
        Flow,
        FlowMutator,
        FlowSpec,
        IncludeFile,
        JSONType,
        MutableFlow,
        MutableStep,
        NBRunner,
        Parameter,
        Run,
        Runner,
        Step,
        StepMutator,
        Task,
        UserStepDecorator,
        __version__,
        batch,
        card,
        catch,
        conda,
        conda_base,
        conda_environment_yml_parser,
        config_expr,
        current,
        default_metadata,
        default_namespace,
        environment,
        exit_hook,
        get_metadata,
        get_namespace,
        inspect_spin,
        kubernetes,
        metadata,
        namespace,
        package_sources,
        parallel,
        parallel_imap_unordered,
        parallel_map,
        profile,
        project,
        pypi,
        pypi_base,
        pyproject_toml_parser,
        pytorch_parallel,
        requirements_txt_parser,
        resources,
        retry,
        secrets,
        step,
        timeout,
        trigger,
        trigger_on_finish,
        user_step_decorator,
        yaml_parser,
    )
    from headway.client import Headway as Metaflow
    from headway.flow.events import namespaced_event_name
    from headway.flow.flow_decorators import schedule
    from headway.flow.values import JSONTypeClass

#: By this Headway knows the package as its own, so that it travels to pods.
__headway__ = True

_install()

# Within a task its launcher has looked already, and in a pod the image's packages stand behind this one.
if "HEADWAY_IN_TASK" not in os.environ:
    refuse_beside_metaflow()

__all__ = [
    "S3",
    "USER_SKIP_STEP",
    "Config",
    "ConfigValue",
    "DataArtifact",
    "Flow",
    "FlowMutator",
    "FlowSpec",
    "IncludeFile",
    "JSONType",
    "JSONTypeClass",
    "Metaflow",
    "MutableFlow",
    "MutableStep",
    "NBRunner",
    "Parameter",
    "Run",
    "Runner",
    "Step",
    "StepMutator",
    "Task",
    "UserStepDecorator",
    "__version__",
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
    "namespaced_event_name",
    "package_sources",
    "parallel",
    "parallel_imap_unordered",
    "parallel_map",
    "profile",
    "project",
    "pypi",
    "pypi_base",
    "pyproject_toml_parser",
    "pytorch_parallel",
    "requirements_txt_parser",
    "resources",
    "retry",
    "schedule",
    "secrets",
    "step",
    "timeout",
    "trigger",
    "trigger_on_finish",
    "user_step_decorator",
    "yaml_parser",
]

__getattr__, __dir__ = aliases(
    __name__,
    {
        **{name: f"headway:{name}" for name in __all__},
        "JSONTypeClass": "headway.flow.values:JSONTypeClass",
        "Metaflow": "headway.client:Headway",
        "namespaced_event_name": "headway.flow.events:namespaced_event_name",
        "schedule": "headway.flow.flow_decorators:schedule",
        "_ERROR_NAMES": "metaflow._error_names:ERROR_NAMES",
    },
)
