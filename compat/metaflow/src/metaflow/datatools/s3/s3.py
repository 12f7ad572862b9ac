"""The same, from where some import it."""

from metaflow._aliases import aliases
from metaflow._data_names import DATA_NAMES

__getattr__, __dir__ = aliases(__name__, DATA_NAMES)
