"""``from zenml import step, pipeline`` for pipelines written for ZenML: every name here is one of Headway's."""

from headway import __version__, pipeline, step

from zenml._missing import missing, tell_of_missing_modules
from zenml._unheard import ArtifactConfig, Model

#: Tells this package from the one that it stands for.
__headway__ = True

__all__ = ["ArtifactConfig", "Model", "__version__", "pipeline", "step"]

__getattr__ = missing(__name__)
tell_of_missing_modules()
