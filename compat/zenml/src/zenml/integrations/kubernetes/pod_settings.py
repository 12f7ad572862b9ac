"""How pods are."""

from headway import KubernetesPodSettings

__all__ = ["KubernetesPodSettings"]
