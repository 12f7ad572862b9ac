"""What Metaflow has and Headway does not, with what to use instead: said where it is asked for, never passed over."""

import sys
from typing import Any, Callable, NoReturn

_CRON = "Let a scheduler that you have (cron, a Kubernetes CronJob, Airflow) start `python flow.py run`."
_SETTINGS = "`python flow.py config show` tells all settings and where each comes from."
_INNER = (
    "It belongs to how Metaflow works inside. What flows and scripts need has a public name: "
    "print(sorted(dir(metaflow)))."
)

#: Names that cannot be imported, with what to use instead.
NOT_YET = {
    "echo_always": "Use print().",
    "get_aws_client": "Use boto3.client(…), or S3 for data.",
}

#: Names of the package itself that belong to Metaflow's inside.
INNER = frozenset(
    (
        "EXT_PKG",
        "R",
        "airflow_internal",
        "argo_workflows_internal",
        "cli_args",
        "cmd_with_io",
        "debug",
        "event_logger",
        "extension_support",
        "graph",
        "meta_files",
        "metadata_provider",
        "metaflow_config_funcs",
        "metaflow_git",
        "mflog",
        "monitor",
        "package",
        "sidecar",
        "step_functions_internal",
        "system_context",
        "tracing",
        "tuple_util",
        "unbounded_foreach",
        "unbounded_test_foreach_internal",
        "version",
    )
)

#: Names that can be imported, so that a file which does not use them runs; using them is an error.
LEFT_TO_OTHERS = {
    "DeployedFlow": _CRON,
    "Deployer": _CRON,
    "NBDeployer": _CRON,
    "airflow_external_task_sensor": _CRON,
    "airflow_s3_key_sensor": _CRON,
}


def not_there(name: str, module: str) -> ImportError:
    """The error of importing a name that is not there."""
    return ImportError(f"Headway does not have {module}.{name}. {NOT_YET.get(name, _INNER)}", name=module)


def no_module(name: str) -> ModuleNotFoundError:
    """The error of importing a module that is not there."""
    instead = next((words for part, words in _PLACES.items() if name.startswith(f"metaflow.{part}")), _INNER)
    return ModuleNotFoundError(f"Headway does not have {name}. {instead}", name=name)


#: What to use in place of modules, by how their names begin.
_PLACES = {
    "plugins.airflow": _CRON,
    "plugins.argo": _CRON,
    "plugins.aws.aws_client": NOT_YET["get_aws_client"],
    "plugins.aws.batch": "Run steps as pods: @kubernetes, or run --with kubernetes.",
    "plugins.aws.step_functions": _CRON,
    "plugins.cards": "Headway makes no cards; the names of metaflow.cards can be used and make none.",
    "plugins.conda": "Name packages with @pypi(packages={…}).",
    "plugins.pypi": "Name packages with @pypi(packages={…}).",
    "metaflow_config_funcs": _SETTINGS,
}


class Absent:
    """Stands for something that Headway leaves to others; whatever is done with it is one clear error.

    Args:
        name: What it is called in Metaflow.
        instead: What to use.
    """

    def __init__(self, name: str, instead: str) -> None:
        self.__dict__.update(_name=name, _instead=instead)

    def _refuse(self) -> NoReturn:
        # Only a file that uses what is not there pays for these imports.
        from headway.errors import UsageError

        from metaflow._uncaught import told_without_traceback

        caller = sys._getframe(2)
        told_without_traceback()
        place = f"{caller.f_code.co_filename}, line {caller.f_lineno}"
        raise UsageError(f"Headway does not have {self._name} ({place}).", self._instead)

    def __call__(self, *arguments: object, **named: object) -> Any:
        self._refuse()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __setattr__(self, name: str, value: object) -> None:
        self._refuse()

    def __mro_entries__(self, bases: object) -> Any:
        self._refuse()

    def __instancecheck__(self, instance: object) -> Any:
        self._refuse()

    def __repr__(self) -> str:
        return f"<{self._name}, which Headway does not have>"


def absent_module(module: str, like: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module of which nothing is there.

    Args:
        module: Its name.
        like: A name of :data:`LEFT_TO_OTHERS` in whose place the same is to be used.
    """

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        return Absent(f"{module}.{name}", LEFT_TO_OTHERS[like])

    return get
