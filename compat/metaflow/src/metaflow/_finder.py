"""Finds the modules of Metaflow's that are no files here, and says of all others that they are not there."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Optional

_PACKAGE = "metaflow."


class Finder:
    """Stands behind Python's own finders, so it is asked only for what they do not find."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        """The module, None for what is not Metaflow's.

        Raises:
            ModuleNotFoundError: It is Metaflow's, and Headway has nothing in its place.
        """
        if not name.startswith(_PACKAGE):
            return None
        from metaflow._missing import no_module
        from metaflow._rare import LEFT, RARE  # a table that few programs need

        short = name[len(_PACKAGE) :]
        if short in RARE or short in LEFT:
            return ModuleSpec(name, Finder, is_package=True)  # type: ignore[arg-type]
        raise no_module(name)

    @staticmethod
    def create_module(spec: ModuleSpec) -> Optional[ModuleType]:
        """An ordinary module."""
        return None

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Give it its names."""
        from metaflow._aliases import aliases
        from metaflow._missing import absent_module
        from metaflow._rare import LEFT, RARE

        short = module.__name__[len(_PACKAGE) :]
        names: Any = module
        if short in LEFT:
            names.__getattr__ = absent_module(module.__name__, LEFT[short])
        else:
            names.__getattr__, names.__dir__ = aliases(module.__name__, RARE[short])


def install() -> None:
    """Let this process find them."""
    if not any(getattr(each, "__module__", "") == __name__ for each in sys.meta_path):
        sys.meta_path.append(Finder)
