"""Modules made of other modules' names: each is imported when first used, as a pod pays for what it imports."""

import importlib
import sys
from typing import Any, Callable, List, Mapping, Tuple

from metaflow._missing import IN_HEADWAYS_PLACE, NOT_YET, Absent, not_yet

#: Modules of this package that are there without being imported by name, as they are in Metaflow.
_MODULES = frozenset(
    "metaflow." + name
    for name in ("cards", "client", "decorators", "exception", "flowspec", "parameters", "plugins")
)


def aliases(
    module: str, places: Mapping[str, str]
) -> Tuple[Callable[[str], Any], Callable[[], List[str]]]:
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
        elif name in IN_HEADWAYS_PLACE:
            value = Absent(name, IN_HEADWAYS_PLACE[name])
        elif name in NOT_YET:
            raise not_yet(name, module)
        else:
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        setattr(sys.modules[module], name, value)
        return value

    return get, lambda: sorted({*vars(sys.modules[module]), *places})
