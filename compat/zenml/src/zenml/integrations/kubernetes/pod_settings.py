"""How pods are."""

from headway import KubernetesPodSettings

from zenml._missing import missing

__all__ = ["KubernetesPodSettings"]

__getattr__ = missing(__name__)
