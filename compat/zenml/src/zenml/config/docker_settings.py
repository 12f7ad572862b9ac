"""What pods find installed."""

from headway import DockerSettings

from zenml._missing import missing

__all__ = ["DockerSettings"]

__getattr__ = missing(__name__)
