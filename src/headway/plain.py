"""What stands in for ``typing`` where start-up counts: in a flow's own file, in ``show``, in a pod.

Loading ``typing``, and compiling code for each named tuple at start-up, takes longer than all else that a
pod does before its step, and twice as long as ``python -c pass``. The modules that every flow loads therefore
import from here what they say of types; type checkers read ``plain.pyi``, which says that it is ``typing``'s own.
The archive's compiled modules are freed of annotations too when they are built (see
``headway.executors.kubernetes.slim``).
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
    "TYPE_CHECKING",
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
    "NamedTuple",
    "NoReturn",
    "Optional",
    "Protocol",
    "Row",
    "Sequence",
    "Set",
    "TextIO",
    "Tuple",
    "Type",
    "TypeVar",
    "Union",
    "cast",
    "field",
    "new",
    "overload",
]

TYPE_CHECKING = False

Deque, Dict, FrozenSet, List, Set, Tuple, Type = deque, dict, frozenset, list, set, tuple, type


class _Form:
    """Something that only type checkers look at."""

    def __init__(self, name):
        self.name = name

    def __getitem__(self, _):
        return self

    __or__ = __ror__ = __getitem__

    def __call__(self, *_):
        # That it could be called makes it a type in the eyes of Python 3.9's typing.
        raise TypeError(f"{self.name} is for type checkers only")

    def __repr__(self):
        return self.name


Any, ClassVar, NoReturn, TextIO = _Form("Any"), _Form("ClassVar"), _Form("NoReturn"), _Form("TextIO")
Optional, Union = _Form("Optional"), _Form("Union")


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


def cast(_, value):
    return value


def overload(function):
    return function


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


class _Spelled(type):
    """Makes a class of what says that it is a ``NamedTuple``, without compiling code for it."""

    def __new__(mcs, name, bases, space):
        if not bases or bases == (Row,):
            return type.__new__(mcs, name, bases, space)
        # A plain tuple's class, as typing's are: its rows have no dictionary, and no trace of this one.
        made = type.__new__(type, name, (Row,), {"__slots__": (), **space})
        fields = tuple(made.__annotations__)
        made._fields = made.__match_args__ = fields
        made._field_defaults = {each: space[each] for each in fields if each in space}
        made.__new__ = _fill
        for index, each in enumerate(fields):
            setattr(made, each, field(index, None))
        return made


class NamedTuple(Row, metaclass=_Spelled):
    """The base that stands for ``typing.NamedTuple``."""

    __slots__ = ()


def _fill(cls, /, *values, **named):
    """The ``__new__`` of such a class."""
    if named or len(values) != len(cls._fields):
        values = _complete(cls, values, named)
    return new(cls, values)


def _complete(cls, values, named):
    names = cls._fields[len(values) :]
    defaults = cls._field_defaults
    lacking = [name for name in names if name not in named and name not in defaults]
    unknown = [name for name in named if name not in names]
    if lacking or unknown or len(values) > len(cls._fields):
        parts = ", ".join(cls._fields)
        raise TypeError(f"{cls.__name__}({parts}) was given {len(values)} values and {sorted(named)}")
    return (*values, *(named[name] if name in named else defaults[name] for name in names))
