"""``MutableStep``: a step as mutators see and change it."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

from headway.flow import draft
from headway.flow.decorators import DecoratorSpec
from headway.flow.draft import Listed
from headway.flow.user_decorators import StepMutator

if TYPE_CHECKING:
    from headway.flow.mutable_flow import MutableFlow


class MutableStep:
    """A step of a flow that mutators change; they are given it, and nobody else makes one."""

    IGNORE, ERROR, OVERRIDE = draft.IGNORE, draft.ERROR, draft.OVERRIDE

    def __init__(self, flow: "MutableFlow", name: str) -> None:
        self._flow = flow
        self._name = name

    @property
    def name(self) -> str:
        """The step's name."""
        return self._name

    @property
    def flow(self) -> "MutableFlow":
        """The flow that the step is of."""
        return self._flow

    @property
    def decorator_specs(self) -> Iterator[Listed]:
        """The step's decorators: (name, whole name, arguments, arguments with names)."""
        return iter([draft.listed(spec) for spec in self._specs])

    def has_decorator(self, name: str) -> bool:
        """Whether the step has a decorator of this name; one with a dot is a whole name."""
        return any(draft.is_called(spec, name) for spec in self._specs)

    def get_decorator_specs(self, name: str) -> list[Listed]:
        """The decorators of this name."""
        return [draft.listed(spec) for spec in self._specs if draft.is_called(spec, name)]

    def add_decorator(
        self,
        deco_type: Any,
        deco_args: Optional[list[Any]] = None,
        deco_kwargs: Optional[dict[str, Any]] = None,
        duplicates: int = draft.IGNORE,
    ) -> Optional[DecoratorSpec]:
        """Give the step a decorator.

        Args:
            deco_type: A decorator of Headway's (``kubernetes``), the class of one of your own, or text as
                ``--with`` takes it (``"kubernetes:cpu=2"``, ``"my_module.MyDecorator"``).
            deco_args: Its arguments without names; only decorators of your own take any.
            deco_kwargs: Its arguments with names; not beside arguments in the text.
            duplicates: Where the step has one already: IGNORE leaves this one out, OVERRIDE puts it in the
                other's place, ERROR is an error.

        Returns:
            A note of what was added, None where nothing was.

        Raises:
            FlowDefinitionError: It cannot be added.
        """
        # It knows all decorators, and is not in pods, which import this module for the names in it alone.
        from headway.flow.named_decorator import several_allowed, step_spec

        frame = sys._getframe(1)
        spec = step_spec(deco_type, deco_args, deco_kwargs, f"{frame.f_code.co_filename}:{frame.f_lineno}")
        if spec.user is not None and issubclass(spec.user, StepMutator):
            self._flow._only_before(f"the mutator @{spec.name} is added to step '{self._name}'")
        several = several_allowed(spec)
        static = self._flow._static
        added = draft.put(self._specs, spec, duplicates, several, static, f"step '{self._name}'")
        return spec if added else None

    def remove_decorator(
        self,
        deco_name: str,
        deco_args: Optional[list[Any]] = None,
        deco_kwargs: Optional[dict[str, Any]] = None,
    ) -> bool:
        """Take decorators from the step.

        Args:
            deco_name: Their name; one with a dot is a whole name.
            deco_args: Only those with these arguments.
            deco_kwargs: Only those with these arguments.

        Returns:
            Whether there were any.
        """
        for spec in self._specs:
            mutator = spec.user is not None and issubclass(spec.user, StepMutator)
            if mutator and draft.is_called(spec, deco_name):
                self._flow._only_before(f"the mutator @{spec.name} is removed from step '{self._name}'")
        return draft.take(self._specs, deco_name, deco_args, deco_kwargs)

    def __repr__(self) -> str:
        return f"<step {self._name} of flow {self._flow._draft.cls.__name__}, to be changed>"

    @property
    def _specs(self) -> list[DecoratorSpec]:
        return self._flow._draft.steps[self._name]
