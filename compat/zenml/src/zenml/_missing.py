"""What is said when a name of ZenML's is imported that Headway does not have: what to use instead."""

import sys
from typing import Any, Callable, Dict, Optional

_RUNS = "Read runs with headway.Flow and headway.Run: headway.Flow('training').latest_run, run['train'].task.data.model."
_KEEP = "Return what is to be kept: each output is an artifact."
_HOOKS = "A decorator of your own around the step (headway.user_step_decorator) does that."
_PICKLED = "Outputs are pickled; one that cannot be is returned in a form that can, such as bytes."

#: By name, or by the first part of a module's name.
_INSTEAD: Dict[str, str] = {
    "BaseMaterializer": _PICKLED,
    "Client": _RUNS,
    "ExternalArtifact": "Hand the value itself to the step.",
    "KubernetesOrchestratorSettings": "The process that you start is the orchestrator; how pods are is said by "
    'KubernetesStepOperatorSettings, under settings={"step_operator": …}.',
    "Schedule": "Start `python FILE run` from cron or a CronJob.",
    "client": _RUNS,
    "get_pipeline_context": "headway.current tells of the run.",
    "get_step_context": "headway.current tells of the task: current.step_name, current.run_id, current.pathspec.",
    "hooks": _HOOKS,
    "integrations": "Name the packages a step needs in DockerSettings(requirements=[…]), or bring them in an image.",
    "load_artifact": 'headway.Run("training/17")["train"].task.data.model loads it.',
    "log_artifact_metadata": _KEEP,
    "log_metadata": _KEEP,
    "log_model_metadata": _KEEP,
    "log_step_metadata": _KEEP,
    "materializers": _PICKLED,
    "save_artifact": _KEEP,
}

#: What the import system asks packages for before it looks for modules that are there.
_MODULES = frozenset(
    {
        "artifact_config", "artifacts", "config", "docker_settings", "enums", "flavors", "integrations", "kubernetes",
        "kubernetes_step_operator_flavor", "logger", "pipelines", "pod_settings", "resource_settings", "retry_config",
        "steps",
    }
)  # fmt: skip


def missing(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module that has only some of ZenML's names."""

    def look(name: str) -> Any:
        if name.startswith("__") or name in _MODULES:
            raise AttributeError(name)
        raise ImportError(_words(name, name), name=module)

    return look


class MissingModules:
    """The last of all finders: says what there is instead of a module of ZenML's."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Refuse what no finder before this one has found.

        Raises:
            ModuleNotFoundError: It is a module of ZenML's.
        """
        package, _, within = name.partition(".")
        if package == __package__ and within:
            raise ModuleNotFoundError(_words(within, within.partition(".")[0]), name=name)


def tell_of_missing_modules() -> None:
    """Let imports of ZenML's other modules say what to use instead."""
    before = [
        finder for finder in sys.meta_path if getattr(finder, "__name__", "") != MissingModules.__name__
    ]
    sys.meta_path[:] = [*before, MissingModules]


def _words(shown: str, key: Optional[str]) -> str:
    return f"Headway does not have ZenML's {shown}. {_INSTEAD.get(key or '', 'docs/pipelines.md lists what there is.')}"
