"""Values that are known once the configurations are: ``config.model.depth`` in a decorator, ``config_expr``.

A flow's file is imported before anybody has read a configuration, so what it says of one is noted here
and worked out by the launcher (:mod:`headway.flow.evaluate`). In a pod it is noted and never looked at.
"""

import sys

from headway.errors import FlowDefinitionError
from headway.plain import Any, Dict, List, NamedTuple, NoReturn, Tuple

#: Begins the one key that ``**config`` yields; the launcher puts the items of the value in its place.
UNPACKED = "_headway_unpacked_"


class Fallback(NamedTuple):
    """A part of a path that may not be there: ``config.get("cpu", 1)``.

    Attributes:
        key: What is read.
        default: What stands for it where it is not there.
    """

    key: Any
    default: Any


class Delayed:
    """An expression with configurations in it, and a path of attributes and items from there.

    Args:
        expression: Python, the names of the flow's configurations in it.
        scope: The names of the module that wrote it.
        place: Where it is written: (file, line).
        path: What is read of its value, from the outside in.
    """

    def __init__(
        self, expression: str, scope: Dict[str, Any], place: Tuple[str, int], path: Tuple[Any, ...] = ()
    ) -> None:
        self._expression = expression
        self._scope = scope
        self._place = place
        self._path = path

    def __getattr__(self, name: str) -> "Delayed":
        # Python, pickle and copy look for such names, and must not find them; no configuration has them.
        if name.startswith("_"):
            raise AttributeError(name)
        return Delayed(self._expression, self._scope, self._place, (*self._path, name))

    def __getitem__(self, key: Any) -> "Delayed":
        if isinstance(key, str) and key.startswith(UNPACKED):
            return self
        return Delayed(self._expression, self._scope, self._place, (*self._path, key))

    def get(self, key: Any, default: Any = None) -> "Delayed":
        """What is read of the value, the default where it is not there, or where no configuration was given."""
        part = Fallback(key, default)
        return Delayed(self._expression, self._scope, self._place, (*self._path, part))

    def keys(self) -> List[str]:
        """What ``**`` asks for."""
        return [f"{UNPACKED}{id(self)}"]

    def __deepcopy__(self, memo: Any) -> "Delayed":
        # A copy of the module's names would be of no use, and nothing here changes.
        return self

    # Without it, Python would ask for the items 0, 1, 2, … and find every one of them.
    __iter__: None = None

    def __format__(self, specification: str) -> NoReturn:
        raise self._no_text()

    def __str__(self) -> str:
        raise self._no_text()

    def _no_text(self) -> FlowDefinitionError:
        file, line = self._place
        return FlowDefinitionError(
            f"{self!r} is put into a text before it is known.",
            "Let it be worked out later: config_expr(\"f'{config.name}:1'\").",
            file,
            line,
        )

    def __repr__(self) -> str:
        path = "".join(map(_written, self._path))
        simple = self._expression.isidentifier()
        return f"{self._expression if simple else f'config_expr({self._expression!r})'}{path}"


def _written(part: Any) -> str:
    if isinstance(part, Fallback):
        return f".get({part.key!r}, {part.default!r})"
    return f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part!r}]"


def config_expr(expression: str) -> Delayed:
    """A value worked out from configurations, for a decorator, a parameter's default, or the like.

    Args:
        expression: Python; the configurations of the flow are there by name, and so is what the module
            that calls this has.

    Returns:
        What stands for it until then; ``config_expr("config").model.depth`` reads of its value.
    """
    frame = sys._getframe(1)
    return Delayed(expression, frame.f_globals, (frame.f_code.co_filename, frame.f_lineno))
