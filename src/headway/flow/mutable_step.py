"""``MutableStep``: a step as mutators see and change it."""

from typing import Any, Optional

from headway.flow import draft
from headway.flow.decorators import DecoratorSpec
from headway.flow.mutable import Mutable, caller
from headway.flow.user_decorators import StepMutator


class MutableStep(Mutable):
    """A step of a flow that mutators change; they are given it, and nobody else makes one."""

    def __init__(self, flow: Mutable, name: str) -> None:
        super().__init__(flow._draft, flow._before, flow._static, flow._who)
        self._flow = flow
        self._name = name

    @property
    def name(self) -> str:
        """The step's name."""
        return self._name

    @property
    def flow(self) -> Any:
        """The flow that the step is of: a :class:`~headway.flow.mutable_flow.MutableFlow`."""
        return self._flow

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

        spec = step_spec(deco_type, deco_args, deco_kwargs, caller())
        if spec.user is not None and issubclass(spec.user, StepMutator):
            self._only_before(f"the mutator @{spec.name} is added to step '{self._name}'")
        several = several_allowed(spec)
        added = draft.put(self._specs, spec, duplicates, several, self._static, f"step '{self._name}'")
        return spec if added else None

    def __repr__(self) -> str:
        return f"<step {self._name} of flow {self._draft.cls.__name__}, to be changed>"

    @property
    def _specs(self) -> list[DecoratorSpec]:
        return self._draft.steps[self._name]

    def _removable(self, name: str) -> list[DecoratorSpec]:
        for spec in self._specs:
            mutator = spec.user is not None and issubclass(spec.user, StepMutator)
            if mutator and draft.is_called(spec, name):
                self._only_before(f"the mutator @{spec.name} is removed from step '{self._name}'")
        return self._specs
