"""``from zenml import step, pipeline`` for pipelines written for ZenML: every name here is one of Headway's."""

from typing import Any, Optional

from headway import __version__, pipeline, step

#: Tells this package from the one that it stands for.
__headway__ = True

__all__ = ["ArtifactConfig", "__version__", "pipeline", "step"]

_INSTEAD = {
    "Model": "A run's artifacts are its models: read them with headway.Run.",
    "get_pipeline_context": "headway.current tells of the run.",
    "get_step_context": "headway.current tells of the task: current.step_name, current.run_id, current.pathspec.",
    "load_artifact": 'headway.Run("training/17")["train"].task.data.model loads it.',
    "log_artifact_metadata": "Return what is to be kept: each output is an artifact.",
    "log_metadata": "Return what is to be kept: each output is an artifact.",
    "log_step_metadata": "Return what is to be kept: each output is an artifact.",
    "save_artifact": "Return what is to be kept: each output is an artifact.",
}


class ArtifactConfig:
    """Names an output: ``Annotated[int, ArtifactConfig(name="rows")]``; what else is given has no effect."""

    def __init__(self, name: Optional[str] = None, **unheard: Any) -> None:
        self.name = name


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    hint = _INSTEAD.get(name, "docs/pipelines.md lists what there is.")
    raise ImportError(f"Headway does not have ZenML's {name}. {hint}")
