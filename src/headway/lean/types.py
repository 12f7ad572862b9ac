"""The names of types that the interpreter makes by itself, read off one of each."""

__all__ = ["CodeType", "FrameType", "FunctionType", "MethodType", "ModuleType", "TracebackType"]

import sys
from typing import Any


def _nothing() -> None:
    """A function like any other."""


class _Class:
    def method(self) -> None:
        """A method like any other."""


def _traceback() -> Any:
    try:
        raise TypeError
    except TypeError as error:
        return error.__traceback__


FunctionType = type(_nothing)
CodeType = type(_nothing.__code__)
MethodType = type(_Class().method)
ModuleType = type(sys)
TracebackType = type(_traceback())
FrameType = type(sys._getframe())
