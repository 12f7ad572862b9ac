"""The modules of Metaflow's plugins whose exceptions people catch."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(__name__, {})
