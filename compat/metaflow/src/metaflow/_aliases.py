"""Modules made of other modules' names: each is imported when first used, as a pod pays for what it imports."""

import importlib
import sys
from typing import Any, Callable, List, Mapping, Tuple

from metaflow._missing import INNER, LEFT_TO_OTHERS, NOT_YET, Absent, not_there

#: Modules that are there without being imported by name, as they are in Metaflow.
_MODULES = frozenset(
    f"metaflow.{name}"
    for name in (
        "cards",
        "cli",
        "client",
        "datastore",
        "datatools",
        "decorators",
        "exception",
        "flowspec",
        "integrations",
        "lint",
        "events",
        "includefile",
        "metaflow_config",
        "metaflow_current",
        "metaflow_environment",
        "metaflow_profile",
        "metaflow_version",
        "multicore_utils",
        "packaging_sys",
        "parameters",
        "plugins",
        "runner",
        "runtime",
        "tagging_util",
        "user_configs",
        "user_decorators",
        "util",
    )
)


def aliases(module: str, places: Mapping[str, str]) -> Tuple[Callable[[str], Any], Callable[[], List[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a module of aliases.

    Args:
        module: The module's name.
        places: For each name where it comes from: ``module:name``.
    """

    def get(name: str) -> Any:
        place = places.get(name)
        if place is not None:
            source, _, there = place.partition(":")
            value = getattr(importlib.import_module(source), there)
        elif f"{module}.{name}" in _MODULES:
            value = importlib.import_module(f"{module}.{name}")
        elif name in LEFT_TO_OTHERS:
            value = Absent(f"{module}.{name}", LEFT_TO_OTHERS[name])
        elif name in NOT_YET or (name in INNER if module == "metaflow" else not name.startswith("_")):
            value = _submodule(module, name)
        else:
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        setattr(sys.modules[module], name, value)
        return value

    there = vars(sys.modules[module])
    # What a star imports; the package itself says so where type checkers read it.
    there.setdefault("__all__", sorted(places))
    return get, lambda: sorted({*there, *places})


def _submodule(module: str, name: str) -> Any:
    """A name of a package that is one of its modules; any other is not there."""
    if not hasattr(sys.modules[module], "__path__"):
        raise not_there(name, module)
    try:
        return importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        raise not_there(name, module) from None
