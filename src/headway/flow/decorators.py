"""Step decorators: each is a frozen note of what was written; nothing is checked or done here.

A decorated module is imported in every pod, so a decorator only records. What the names and
attributes may be stands in :mod:`headway.flow.catalogue`, which the launcher alone reads, and is
checked when the graph is built: a mistake is then one clear error and not a traceback at import.
"""

import sys

from headway.errors import FlowDefinitionError
from headway.plain import Any, Callable, Dict, Mapping, NamedTuple, Tuple, Type, TypeVar, Union, overload

F = TypeVar("F", bound=Callable[..., Any])

_NOTES = "_headway_decorators"

#: How the source begins of what a pipeline says of all of its steps.
OF_PIPELINE = "@pipeline"

#: How the source begins of what comes from the command line or a variable.
LATE = ("--with", "HEADWAY_DEFAULT_DECOSPECS", "METAFLOW_DEFAULT_DECOSPECS")


class DecoratorSpec(NamedTuple):
    """One decorator as a person wrote it.

    Attributes:
        name: The decorator's name.
        attributes: What was written and nothing else: defaults are the reader's business, so that
            an explicit ``cpu=1`` stays explicit.
        source: Where: ``file:line``, ``--with kubernetes:cpu=4``, or ``HEADWAY_DEFAULT_DECOSPECS kubernetes:cpu=4``
            with the file, if any, that says so.
        positional: Arguments without a name; only decorators that people wrote take any.
        user: The class of a decorator that somebody wrote, None for Headway's own.
        note: Which of the notes on the step it was when it was written there, from 0; -1 if it was not.
        evaluated: Whether its arguments were worked out from configurations, and are not those of the code.
        beneath: What ``--with`` says of the same decorator, the first that says something winning, and last what the
            pipeline says: it fills in what this one leaves open.
    """

    name: str
    attributes: Mapping[str, Any] = {}
    source: str = ""
    positional: Tuple[Any, ...] = ()
    user: Any = None
    note: int = -1
    evaluated: bool = False
    beneath: Tuple["DecoratorSpec", ...] = ()

    @property
    def location(self) -> Tuple[str, int]:
        """(file, line) of what stands in code, ("", 0) for what came from the command line."""
        file, _, line = self.source.removeprefix(f"{OF_PIPELINE}, ").rpartition(":")
        return (file, int(line)) if file and line.isdigit() and not self.attached else ("", 0)

    @property
    def attached(self) -> bool:
        """Whether it came from the command line or a variable and not from the flow's code."""
        return self.source.startswith(LATE)

    @property
    def of_pipeline(self) -> bool:
        """Whether it is what a pipeline says of all of its steps."""
        return self.source.startswith(OF_PIPELINE)

    def to_json(self) -> Dict[str, Any]:
        """Plain data for the run's record; values that JSON does not know become their repr."""
        attributes = {name: plain(value) for name, value in self.shown.items()}
        raw: Dict[str, Any] = {"name": self.name, "attributes": attributes, "source": self.shown_source}
        if self.positional:
            raw["positional"] = [plain(value) for value in self.positional]
        if self.beneath:
            raw["beneath"] = [late.to_json() for late in self.beneath]
        return raw

    @property
    def shown(self) -> Mapping[str, Any]:
        """The attributes as anybody may see them: without what secrets hold that stand in the code."""
        if self.name != "secrets" or "sources" not in self.attributes:
            return self.attributes
        sources = [_without_values(source) for source in _listed(self.attributes["sources"])]
        return {**self.attributes, "sources": sources}

    @property
    def shown_source(self) -> str:
        """Where it was written, likewise."""
        if self.name != "secrets" or not self.attached:
            return self.source
        return f"{self.source.partition(' ')[0]} {self.name}"

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "DecoratorSpec":
        """The inverse of :meth:`to_json`."""
        beneath = tuple(cls.from_json(late) for late in raw.get("beneath", ()))
        positional = tuple(raw.get("positional", ()))
        return cls(raw["name"], raw.get("attributes", {}), raw.get("source", ""), positional, beneath=beneath)


class StepDecorator:
    """A decorator that notes itself on a step, above or below ``@step``, with or without parentheses."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __call__(self, function: F, /) -> F: ...

    @overload
    def __call__(self, *positional: Any, **attributes: Any) -> Callable[[F], F]: ...

    def __call__(self, *positional: Any, **attributes: Any) -> Union[Any, Callable[[F], F]]:
        frame = sys._getframe(1)
        source = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if len(positional) == 1 and not attributes and _can_be_decorated(positional[0]):
            return self.note(positional[0], DecoratorSpec(self.name, {}, source))
        spec = DecoratorSpec(self.name, attributes, source, positional)
        return lambda target: self.note(target, spec)

    def note(self, target: Any, spec: DecoratorSpec) -> Any:
        """Note the decorator on what stands below it."""
        return note_on(target, spec)

    def __repr__(self) -> str:
        return f"@{self.name}"


def decorators_of(target: object) -> Tuple[DecoratorSpec, ...]:
    """The step decorators noted on a function or class, from top to bottom as written."""
    notes = getattr(target, "__dict__", {}).get(_NOTES, ())
    return notes if isinstance(notes, tuple) else ()


def _can_be_decorated(target: object) -> bool:
    """Whether this is what stands below a decorator, and not a value between its parentheses."""
    is_exception = isinstance(target, type) and issubclass(target, BaseException)
    return callable(target) and hasattr(target, "__dict__") and not is_exception


def note_on(target: Any, spec: DecoratorSpec) -> Any:
    """Leave the note of a decorator on what it stands on, above those that are there.

    Raises:
        FlowDefinitionError: Nothing can be noted there.
    """
    if isinstance(target, type):
        # Not an error yet: the check of the flow names the class, the file and the line.
        setattr(target, _NOTES, (spec, *decorators_of(target)))
        return target
    if _can_be_decorated(target):
        # A new tuple each time: functools.wraps copies the reference to another function's.
        target.__dict__[_NOTES] = (spec, *decorators_of(target))
        return target
    # As it is imported in every pod, this module loads its errors only on the way to one.
    from headway.flow.decorator_errors import BadStepDecoratorError

    hint = f"Put @{spec.name} on a method that is marked with @step."
    raise misplaced(BadStepDecoratorError, spec, "which is not a step", hint, target)


def misplaced(
    kind: Type[FlowDefinitionError], spec: DecoratorSpec, why: str, hint: str, target: object
) -> FlowDefinitionError:
    """The error for a decorator on something that it cannot be noted on."""
    file, line = spec.location
    return kind(f"@{spec.name} stands on a {type(target).__name__}, {why}.", hint, file or None, line or None)


def _without_values(source: Any) -> Any:
    if not isinstance(source, Mapping):
        return source
    return {name: "…" if name == "options" else value for name, value in source.items()}


def _listed(value: Any) -> Tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ("…",)


def plain(value: Any) -> Any:
    """The same value as JSON knows it; what it does not know becomes its repr."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return repr(value)


batch = StepDecorator("batch")
card = StepDecorator("card")
catch = StepDecorator("catch")
conda = StepDecorator("conda")
environment = StepDecorator("environment")
kubernetes = StepDecorator("kubernetes")
parallel = StepDecorator("parallel")
pypi = StepDecorator("pypi")
pytorch_parallel = StepDecorator("pytorch_parallel")
resources = StepDecorator("resources")
retry = StepDecorator("retry")
secrets = StepDecorator("secrets")
timeout = StepDecorator("timeout")
