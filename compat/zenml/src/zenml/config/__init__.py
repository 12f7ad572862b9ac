"""Settings of steps and pipelines."""

from headway import DockerSettings, ResourceSettings, StepRetryConfig

from zenml._missing import missing

__all__ = ["DockerSettings", "ResourceSettings", "StepRetryConfig"]

__getattr__ = missing(__name__)
