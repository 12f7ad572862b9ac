"""What steps need."""

from headway import ResourceSettings

from zenml._missing import missing

__all__ = ["ResourceSettings"]

__getattr__ = missing(__name__)
