"""Flow decorators: each is a frozen note on a flow's class, as step decorators are on its steps.

What they may say stands in :mod:`headway.flow.flow_catalogue`, which the launcher alone reads.
"""

from headway.flow.decorators import DecoratorSpec, StepDecorator, misplaced
from headway.plain import Any, Dict, List, Tuple

_NOTES = "_headway_flow_decorators"


class FlowDecorator(StepDecorator):
    """A decorator that notes itself on a flow's class, with or without parentheses."""

    __slots__ = ()

    def note(self, target: Any, spec: DecoratorSpec) -> Any:
        """Note the decorator; on anything but a class it is the check of the flow that says so, if it can."""
        if not hasattr(target, "__dict__"):
            from headway.flow.decorator_errors import (
                BadFlowDecoratorError,  # only on the way to such an error
            )

            hint = f"Put @{spec.name} on the class of a flow."
            raise misplaced(BadFlowDecoratorError, spec, "which is not a flow", hint, target)
        setattr(target, _NOTES, (spec, *noted_on(target)))
        return target


def noted_on(target: Any) -> Tuple[DecoratorSpec, ...]:
    """The flow decorators noted on this very object, from top to bottom as written."""
    notes = getattr(target, "__dict__", {}).get(_NOTES, ())
    return notes if isinstance(notes, tuple) else ()


def flow_decorators_of(cls: Any) -> Dict[str, List[DecoratorSpec]]:
    """A flow's decorators by name, those that it inherits included; a class's own take the place of its bases'."""
    found: Dict[str, List[DecoratorSpec]] = {}
    for base in reversed(cls.__mro__):
        own: Dict[str, List[DecoratorSpec]] = {}
        for spec in noted_on(base):
            own.setdefault(spec.name, []).append(spec)
        found.update(own)
    return found


conda_base = FlowDecorator("conda_base")
exit_hook = FlowDecorator("exit_hook")
project = FlowDecorator("project")
pypi_base = FlowDecorator("pypi_base")
schedule = FlowDecorator("schedule")
trigger = FlowDecorator("trigger")
trigger_on_finish = FlowDecorator("trigger_on_finish")
