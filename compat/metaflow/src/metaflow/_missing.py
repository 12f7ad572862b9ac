"""What Metaflow has and Headway does not, with what to use instead: said where it is asked for, never passed over."""

from typing import Any, Callable, NoReturn

_CRON = "Let a scheduler that you have (cron, a Kubernetes CronJob, Airflow) start `python flow.py run`."

#: Names that cannot be imported: Headway will have them, and then these lines go.
NOT_YET = {
    "echo_always": "Use print().",
}

#: Names that can be imported, so that a file which does not use them runs; using them is an error.
LEFT_TO_OTHERS = {
    "ArgoEvent": _CRON,
    "DeployedFlow": _CRON,
    "Deployer": _CRON,
    "NBDeployer": _CRON,
    "airflow_external_task_sensor": _CRON,
    "airflow_s3_key_sensor": _CRON,
    "namespaced_event_name": _CRON,
}


def not_yet(name: str, module: str) -> ImportError:
    """The error of importing a name that is not there yet."""
    return ImportError(f"Headway does not have {module}.{name} yet. {NOT_YET[name]}", name=module)


class Absent:
    """Stands for something that Headway leaves to others; whatever is done with it is one clear error.

    Args:
        name: What it is called in Metaflow.
        instead: What to use.
    """

    def __init__(self, name: str, instead: str) -> None:
        self.__dict__.update(_name=name, _instead=instead)

    def _refuse(self) -> NoReturn:
        # Only a file that uses what is not there pays for this import.
        from headway.errors import UsageError

        raise UsageError(f"Headway does not have {self._name}.", self._instead)

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
