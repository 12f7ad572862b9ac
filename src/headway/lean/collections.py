"""``deque`` alone: the rest makes classes of Python code that nobody asked for."""

__all__ = ["deque"]

from _collections import deque  # type: ignore[import-not-found]
