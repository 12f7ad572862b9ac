"""The settings of steps that run on Kubernetes."""

from headway import KubernetesStepOperatorSettings

__all__ = ["KubernetesStepOperatorSettings"]
