"""The settings of steps that run on Kubernetes."""

from headway import KubernetesStepOperatorSettings

from zenml._missing import missing

__all__ = ["KubernetesStepOperatorSettings"]

__getattr__ = missing(__name__)
