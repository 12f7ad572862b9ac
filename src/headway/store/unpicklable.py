"""What is said when a value cannot be pickled, or cannot be made again from its pickle."""

import pickle
import time
from typing import Any, Iterator, NamedTuple, Optional, Tuple

from headway.call import CONSTANTS
from headway.errors import HeadwayError

#: The search for the culprit pickles parts of the value again and again; it is only for the message.
_SEARCH_SECONDS = 5.0
_MAX_DEPTH = 20
_MAX_CHILDREN = 10_000


class Culprit(NamedTuple):
    """The innermost part of a value that pickle refuses: how to get there, and its type."""

    path: str
    type: str


class UnpicklableArtifactError(HeadwayError):
    """A value that a task stored cannot be pickled.

    Args:
        name: The artifact.
        kind: The type of its value.
        culprit: The part of it that is to blame, if found.
        cause: What pickle said.
    """

    headline = "An artifact cannot be stored"

    def __init__(self, name: str, kind: str, culprit: Optional[Culprit], cause: BaseException) -> None:
        self.name = name
        self.culprit = culprit
        what, whole = f"self.{name} ({kind})", f"self.{name}"
        advice = _advice(culprit.type if culprit else kind, name, cause)
        if name.startswith(CONSTANTS):
            what, whole = f"What call {name[len(CONSTANTS) :]} is given", "argument "
            advice = "Hand over plain data and functions of modules, or let a step make it and return it."
        message = f"{what} cannot be pickled: {_one_line(cause)}"
        if culprit is not None and culprit.path:
            message += f"\nThe cause is {whole}{culprit.path} ({culprit.type})."
        super().__init__(message, advice)


class ArtifactLoadError(HeadwayError):
    """A stored value cannot be made again in this process.

    Args:
        name: The artifact.
        cause: What unpickling raised.
    """

    headline = "An artifact cannot be loaded"

    def __init__(self, name: str, cause: BaseException) -> None:
        self.name = name
        self.module = cause.name if isinstance(cause, ModuleNotFoundError) else None
        if self.module:
            message = (
                f"self.{name} cannot be loaded: its type needs the module {self.module!r}, which is not here"
            )
            hint = f"Install {self.module} here, in the version that the task used, or add it to the image."
        elif isinstance(cause, (AttributeError, ImportError)):
            message = f"self.{name} cannot be loaded: {_one_line(cause)}"
            hint = (
                "Its class was renamed, moved or defined elsewhere: import the code that the task ran with."
            )
        else:
            message = f"self.{name} cannot be loaded: {_one_line(cause)}"
            hint = "The libraries here may be of other versions than those that the task used."
        super().__init__(message, hint)


def find_unpicklable(value: object) -> Optional[Culprit]:
    """The innermost part of a value that pickle refuses, None where the search finds none in time."""
    deadline = time.monotonic() + _SEARCH_SECONDS
    path, found = "", value
    seen = set()
    for _ in range(_MAX_DEPTH):
        seen.add(id(found))
        for step, child in _children(found):
            if time.monotonic() > deadline:
                return Culprit(path, _type_name(found))
            if id(child) not in seen and not _is_picklable(child):
                path, found = path + step, child
                break
        else:
            break
    return Culprit(path, _type_name(found))


def _children(value: Any) -> Iterator[Tuple[str, object]]:
    """The parts of a value with the expressions that reach them."""
    if isinstance(value, dict):
        for number, (key, item) in enumerate(value.items()):
            if number >= _MAX_CHILDREN:
                return
            yield f"[{key!r:.60}]", item
            yield f" key {key!r:.60}", key
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value[:_MAX_CHILDREN]):
            yield f"[{number}]", item
    elif isinstance(value, (set, frozenset)):
        for number, item in enumerate(value):
            if number >= _MAX_CHILDREN:
                return
            yield f" item {item!r:.60}", item
    if not hasattr(type(value), "__getstate__") or type(value).__getstate__ is getattr(
        object, "__getstate__", None
    ):
        for name, item in list(getattr(value, "__dict__", {}).items())[:_MAX_CHILDREN]:
            yield f".{name}", item


def _is_picklable(value: object) -> bool:
    try:
        pickle.dumps(value, protocol=5, buffer_callback=lambda buffer: False)
    except Exception:  # whatever a class raises from its __reduce__, it is not picklable
        return False
    return True


def _advice(kind: str, name: str, cause: BaseException) -> str:
    if kind.endswith(("function", "method")) or "lambda" in str(cause) or "local" in str(cause):
        return "Define functions and classes at the top level of a module, not inside a step, and no lambda."
    if "generator" in kind or "iterator" in kind:
        return f"Store what it yields: self.{name} = list(…)."
    if isinstance(cause, RecursionError):
        return "It is nested too deeply for pickle; store a flat form of it."
    if any(
        word in kind.lower() for word in ("lock", "socket", "connection", "cursor", "engine", "session", "io")
    ):
        return f"Open it in each step that needs it, in a local variable and not as self.{name}."
    return f"Keep it in a local variable instead of self.{name}, or store a form of it that pickle takes."


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    return f"{type(error).__name__}: {text[:300]}"
