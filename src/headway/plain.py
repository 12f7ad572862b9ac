"""What stands in for ``typing`` in a pod, where the modules run without their annotations.

Loading ``typing``, and making a class of each named tuple at start-up, takes longer than all else that a
pod does before its step. The archive's compiled modules are therefore freed of both when they are built (see
``headway.executors.kubernetes.slim``): what is left of ``typing`` in them is imported from here.
"""

from _collections import _tuplegetter, deque  # what namedtuple is made with
from _collections_abc import (
    Callable,
    Collection,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)

__all__ = [
    "Any",
    "Callable",
    "ClassVar",
    "Collection",
    "Deque",
    "Dict",
    "FrozenSet",
    "Generator",
    "Generic",
    "Hashable",
    "Iterable",
    "Iterator",
    "List",
    "Mapping",
    "MutableMapping",
    "NoReturn",
    "Optional",
    "Protocol",
    "Row",
    "Sequence",
    "Set",
    "Tuple",
    "Type",
    "TypeVar",
    "Union",
    "field",
    "new",
]

Deque, Dict, FrozenSet, List, Set, Tuple, Type = deque, dict, frozenset, list, set, tuple, type


class _Form:
    """Something that only type checkers look at."""

    def __getitem__(self, _):
        return self


Any = ClassVar = NoReturn = Optional = Union = _Form()


class Protocol:
    """A seam; nothing is asked of it at run time."""

    __slots__ = ()


class Generic:
    """What takes types as parameters."""

    __slots__ = ()

    @classmethod
    def __class_getitem__(cls, _):
        return cls


def TypeVar(*_, **__):  # noqa: N802
    return Any


#: What a named tuple's ``__new__`` calls, and what reads one of its fields.
new, field = tuple.__new__, _tuplegetter


class Row(tuple):
    """The base of what was a ``NamedTuple``: all that does not depend on its fields."""

    __slots__ = ()
    _fields = ()

    @classmethod
    def _make(cls, values):
        row = new(cls, values)
        if len(row) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(row)}")
        return row

    def _replace(self, **changes):
        row = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return row

    def _asdict(self):
        return dict(zip(self._fields, self))

    def __repr__(self):
        inside = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self))
        return f"{type(self).__name__}({inside})"

    def __getnewargs__(self):
        return tuple(self)
