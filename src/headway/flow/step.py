"""The ``@step`` decorator, and how the steps of a class are found."""

from types import FunctionType

from headway.errors import FlowDefinitionError
from headway.plain import Any, Callable, Dict, Mapping, NamedTuple, Optional, TypeVar, Union, overload

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "_headway_step"


class StepMark(NamedTuple):
    """What ``@step`` says of a method.

    Attributes:
        start: Whether it is annotated as the flow's first step.
        end: Whether it is annotated as the flow's last step.
        info: Facts for tools, kept with the graph and never interpreted.
    """

    start: bool = False
    end: bool = False
    info: Mapping[str, Any] = {}


@overload
def step(function: F) -> F: ...


@overload
def step(
    *,
    start: bool = False,
    end: bool = False,
    node_info: Optional[Mapping[str, Any]] = None,
    **unknown: Any,
) -> Callable[[F], F]: ...


def step(
    function: Optional[F] = None,
    *,
    start: bool = False,
    end: bool = False,
    node_info: Optional[Mapping[str, Any]] = None,
    **unknown: Any,
) -> Union[F, Callable[[F], F]]:
    """Make a method a step of its flow, or a function a step that pipelines can call.

    Args:
        function: The method, where the decorator is written without parentheses.
        start: Whether the flow starts here; needed only where neither a step called ``start``
            nor the graph's shape says so.
        end: Whether the flow ends here.
        node_info: Facts for tools, kept with the graph.
        **unknown: Of a function's step: ``name``, ``step_operator``, ``settings``, ``retry``, ``environment``,
            ``parameters``; what else ZenML knows is taken, and named once when a pipeline runs. Of a method's, nothing.

    Raises:
        FlowDefinitionError: It stands on what can be no step, or is given something else.
    """
    mark = StepMark(start, end, node_info or {})

    def decorate(decorated: F) -> F:
        if type(decorated) is FunctionType and "." not in decorated.__qualname__.rpartition("<locals>.")[2]:
            from headway.flow.function_step import function_step  # for steps of pipelines

            return function_step(_marked(decorated, mark), unknown)  # type: ignore[return-value]
        wrapped = getattr(decorated, "__wrapped__", None)
        if (
            type(wrapped) is FunctionType
            and "." not in wrapped.__qualname__
            and type(decorated) is not FunctionType
        ):
            # In a pipeline's body it would be called there and then.
            raise FlowDefinitionError(
                f"@step stands on {_described(decorated)} around {wrapped.__name__}; a pipeline's step is a function.",
                "Write what it does within the function, or call it from there.",
                wrapped.__code__.co_filename,
                wrapped.__code__.co_firstlineno,
            )
        if unknown:
            raise FlowDefinitionError(
                f"@step does not take {', '.join(unknown)} in a class; it takes start, end and node_info.",
                "Where and with what a step runs is said by decorators above it: "
                "@kubernetes(image=…, pod_settings={…}), @resources(cpu=…, memory=…).",
            )
        return _marked(decorated, mark)

    return decorate if function is None else decorate(function)


def step_mark(member: object) -> Optional[StepMark]:
    """What ``@step`` said of this member of a class, None where it is no step."""
    # Only the member's own dictionary: a class attribute may answer to any name.
    mark = getattr(member, "__dict__", {}).get(_MARK)
    return mark if isinstance(mark, StepMark) else None


def members_of(cls: type) -> Dict[str, Any]:
    """What a class and its bases define, by name, base classes first, overriding definitions in place."""
    members: Dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base is not object:
            members.update(vars(base))
    return members


def steps_of(cls: type) -> Dict[str, Callable[..., Any]]:
    """The steps of a flow class by name, inherited ones first, else in the order they are written."""
    return {name: member for name, member in members_of(cls).items() if step_mark(member) is not None}


def _marked(function: F, mark: StepMark) -> F:
    if getattr(type(function), "_headway_user_decorator", False):
        raise FlowDefinitionError(f"@step stands above {function!r}.", f"Put {function!r} above @step.")
    wrong_kind = isinstance(function, (staticmethod, classmethod, type)) or not callable(function)
    if wrong_kind or not hasattr(function, "__dict__"):
        raise FlowDefinitionError(
            f"@step stands on {_described(function)}; a step is a plain method.",
            "Write it as: @step def train(self): …",
        )
    function.__dict__[_MARK] = mark
    # Read by code that goes over the steps of a flow: [step.name for step in self].
    function.__dict__.setdefault("name", getattr(function, "__name__", ""))
    return function


def _described(value: object) -> str:
    return f"class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
