"""``partial`` and caches by the code in C, and ``wraps``, without the named tuples and types that the rest makes."""

__all__ = ["lru_cache", "partial", "wraps"]

from _functools import _lru_cache_wrapper, partial  # type: ignore[import-not-found]
from typing import Any, Callable, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _none() -> None:
    """A function like any other."""


#: What a function takes over from the one that it stands in for, as far as either has it.
_TAKEN = (
    "__module__",
    "__name__",
    "__qualname__",
    "__doc__",
    # Python 3.14 and later make annotations when they are asked for.
    "__annotate__" if hasattr(_none, "__annotate__") else "__annotations__",
    "__type_params__",
)


def wraps(wrapped: Callable[..., Any]) -> Callable[[F], F]:
    """Make a function look like the one it stands in for."""

    def take(wrapper: Any) -> Any:
        for name in _TAKEN:
            if hasattr(wrapped, name):
                setattr(wrapper, name, getattr(wrapped, name))
        wrapper.__dict__.update(getattr(wrapped, "__dict__", {}))
        wrapper.__wrapped__ = wrapped
        return wrapper

    return take


def lru_cache(maxsize: int) -> Callable[[Callable[..., Any]], Any]:
    """Keep the newest results of a function."""

    def keep(function: Callable[..., Any]) -> Any:
        return wraps(function)(_lru_cache_wrapper(function, maxsize, False, tuple))

    return keep
