"""Pickling in C, without the pure Python that is there for those who subclass it."""

__all__ = ["PickleBuffer", "Pickler", "Unpickler", "dumps", "loads"]

try:
    from _pickle import PickleBuffer, Pickler, Unpickler, dumps, loads
except ImportError:
    from pickle import PickleBuffer, Pickler, Unpickler, dumps, loads
