"""Steps."""

from headway import step

from zenml._missing import missing

__all__ = ["step"]

__getattr__ = missing(__name__)
