"""Pickling in C, without the pure Python that is there for those who subclass it."""

__all__ = ["PickleBuffer", "Pickler", "Unpickler", "dumps", "loads"]

import sys

from headway.lean import functools

#: What the code in C asks for when it is loaded, only to find ``partial`` there; most of what a pod would load for it.
_LENT = "functools" not in sys.modules
if _LENT:
    sys.modules["functools"] = functools
try:
    from _pickle import PickleBuffer, Pickler, Unpickler, dumps, loads
except ImportError:
    if _LENT:
        del sys.modules["functools"]
    from pickle import PickleBuffer, Pickler, Unpickler, dumps, loads
else:
    if _LENT:
        del sys.modules["functools"]
