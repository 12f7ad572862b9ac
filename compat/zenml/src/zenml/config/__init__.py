"""Settings of steps and pipelines."""

from headway import DockerSettings, ResourceSettings, StepRetryConfig

__all__ = ["DockerSettings", "ResourceSettings", "StepRetryConfig"]
