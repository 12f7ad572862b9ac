"""Pickling in C, without the pure Python that is there for those who subclass it."""

__all__ = ["PickleBuffer", "dumps", "loads"]

try:
    from _pickle import PickleBuffer, dumps, loads
except ImportError:
    from pickle import PickleBuffer, dumps, loads
