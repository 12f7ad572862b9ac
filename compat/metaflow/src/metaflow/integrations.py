"""Events of Argo: they can be written, and none is sent."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(__name__, {"ArgoEvent": "headway.flow.events:ArgoEvent"})
