"""Events of Argo, which Headway leaves to others."""

from metaflow._missing import absent_module

__getattr__ = absent_module(__name__, like="ArgoEvent")
