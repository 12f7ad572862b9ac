"""Names of outputs."""

from zenml._missing import missing
from zenml._unheard import ArtifactConfig

__all__ = ["ArtifactConfig"]

__getattr__ = missing(__name__)
