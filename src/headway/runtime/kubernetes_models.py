"""Stands for the models of the ``kubernetes`` package where that is not installed, while a flow's code is imported.

Files say settings of pods with them, ``tolerations=[V1Toleration(key="gpu")]``, beside the steps that a pod imports the
file for. The launcher, which has the package, has read the settings; in a pod they only have to be importable. Nothing
else of the package is here, and none of it for other people's code or once the import is over: that the package is
missing is then told as of any other. Loaded only where such a file is.
"""

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PACKAGE = "kubernetes"
#: Where models are imported from.
_MODULES = (PACKAGE, "kubernetes.client", "kubernetes.client.models")
#: How the modules of single models begin.
_SINGLE = "kubernetes.client.models.v"


class Model:
    """What a model was given, under its names."""

    def __init__(self, *values: Any, **given: Any) -> None:
        vars(self).update(given)


def find(name: str, root: str, asking: Any) -> Any:
    """Find a stand-in for an import statement of the flow's own code.

    Args:
        name: The module; the package or one below it.
        root: The folder that holds the flow's code: only what stands there is given stand-ins.
        asking: The frame that asks, within the import system.

    Returns:
        What a finder returns; None if there is none.
    """
    if name not in _MODULES and not name.startswith(_SINGLE):
        return None
    if name == PACKAGE and not _file_of(asking).startswith(os.path.realpath(root) + os.sep):
        return None
    loader: Any = _Loader
    return ModuleSpec(name, loader, is_package=True)


def forget() -> None:
    """Take the stand-ins out of the modules that are loaded; who has one keeps it."""
    for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
        del sys.modules[name]


class _StandIn(ModuleType):
    """A module of the package, with models alone."""

    __path__: "list[str]" = []  # noqa: RUF012  (nothing is below it but what the finder makes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        below = f"{self.__name__}.{name}"
        if below in _MODULES:
            return import_module(below)
        if not (name[:1] == "V" and name[1:2].isdigit()):
            raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
        made = type(name, (Model,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Loader:
    @staticmethod
    def create_module(spec: Any) -> ModuleType:
        return _StandIn(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """There is no code to run."""


def _file_of(frame: Any) -> str:
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return "" if frame is None else os.path.realpath(frame.f_code.co_filename)
