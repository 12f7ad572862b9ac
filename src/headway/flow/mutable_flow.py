"""``MutableFlow``: a flow as mutators see and change it."""

from collections.abc import Iterator
from typing import Any, Optional

from headway.flow import draft
from headway.flow.decorators import DecoratorSpec
from headway.flow.draft import Draft, draft_error
from headway.flow.mutable import Mutable, caller
from headway.flow.mutable_step import MutableStep
from headway.flow.names import did_you_mean
from headway.flow.parameters import Parameter


class MutableFlow(Mutable):
    """A flow that mutators change; they are given it, and nobody else makes one.

    Its steps, configurations and parameters are attributes of it too: ``mutable_flow.train.add_decorator(…)``.

    Args:
        flow: What is known of it.
        mutators: The mutators of the flow itself, in the order in which they are heard.
        before: Whether this is the time before ``--with``, when everything can be changed.
        static: Whether the mutator stands in code.
        who: The mutator, for words.
    """

    def __init__(
        self, flow: Draft, mutators: list[DecoratorSpec], before: bool, static: bool, who: str
    ) -> None:
        super().__init__(flow, before, static, who)
        self._mutators = mutators

    @property
    def configs(self) -> Iterator[tuple[str, Any]]:
        """The flow's configurations: (name, value); the name is the command line's, not the attribute."""
        names = self._draft.config_names
        return iter([(names[attribute], value) for attribute, value in self._draft.configs.items()])

    @property
    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The flow's parameters: (attribute, declaration)."""
        return iter(list(self._draft.parameters.items()))

    @property
    def steps(self) -> Iterator[tuple[str, MutableStep]]:
        """The flow's steps: (name, step)."""
        return iter([(name, MutableStep(self, name)) for name in self._draft.steps])

    def add_parameter(self, name: str, value: Parameter, overwrite: bool = False) -> None:
        """Give the flow a parameter.

        Args:
            name: Its attribute.
            value: The parameter.
            overwrite: Whether it may take the place of what the class has under this name.

        Raises:
            FlowDefinitionError: It cannot be added, or not at this time.
        """
        self._only_before(f"the parameter '{name}' is added")
        source = caller()
        if not isinstance(value, Parameter):
            raise draft_error(
                source, f"add_parameter is given {value!r}.", "Give it a Parameter or an IncludeFile."
            )
        there = name in self._draft.parameters or hasattr(self._draft.cls, name)
        if there and not overwrite:
            raise draft_error(
                source,
                f"Flow {self._draft.cls.__name__} has '{name}' already.",
                "Use another name, or add_parameter(…, overwrite=True).",
            )
        value.attribute = name
        self._draft.parameters[name] = value

    def remove_parameter(self, parameter_name: str) -> bool:
        """Take a parameter from the flow.

        Args:
            parameter_name: Its name on the command line.

        Returns:
            Whether there was one.
        """
        self._only_before(f"the parameter '{parameter_name}' is removed")
        for attribute, parameter in self._draft.parameters.items():
            if parameter.name == parameter_name:
                del self._draft.parameters[attribute]
                return True
        return False

    def add_decorator(
        self,
        deco_type: Any,
        deco_args: Optional[list[Any]] = None,
        deco_kwargs: Optional[dict[str, Any]] = None,
        duplicates: int = draft.IGNORE,
    ) -> Optional[DecoratorSpec]:
        """Give the flow itself a decorator.

        Args:
            deco_type: A decorator of Headway's for flows (``project``), the class of a mutator of your own, or
                text (``"project:name=fraud"``).
            deco_args: Its arguments without names; only mutators of your own take any.
            deco_kwargs: Its arguments with names; not beside arguments in the text.
            duplicates: Where the flow has one already: IGNORE leaves this one out, OVERRIDE puts it in the
                other's place, ERROR is an error.

        Returns:
            A note of what was added, None where nothing was.

        Raises:
            FlowDefinitionError: It cannot be added, or not at this time.
        """
        from headway.flow.named_decorator import flow_spec, several_allowed  # not in pods, as in MutableStep

        self._only_before(f"the decorator {deco_type!r} is added")
        spec = flow_spec(deco_type, deco_args, deco_kwargs, caller())
        where = f"flow {self._draft.cls.__name__}"
        if spec.user is not None:
            # Mutators that were heard stay, whatever is said of duplicates; this one is heard after all others.
            if not draft.put(list(self._mutators), spec, duplicates, False, self._static, where):
                return None
            self._mutators.append(spec)
            return spec
        several = several_allowed(spec)
        added = draft.put(self._draft.decorators, spec, duplicates, several, self._static, where)
        return spec if added else None

    @property
    def _specs(self) -> list[DecoratorSpec]:
        return [*self._draft.decorators, *self._mutators]

    def _removable(self, name: str) -> list[DecoratorSpec]:
        self._only_before(f"the decorator '{name}' is removed")
        if any(draft.is_called(spec, name) for spec in self._mutators):
            raise draft_error(
                caller(),
                f"The mutator '{name}' cannot be removed: it may have been heard.",
                "Leave it there.",
            )
        return self._draft.decorators

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        for members in (self._draft.configs, self._draft.parameters):
            if name in members:
                return members[name]
        if name in self._draft.steps:
            return MutableStep(self, name)
        known = [*self._draft.configs, *self._draft.parameters, *self._draft.steps]
        hint = did_you_mean(name, known)
        raise AttributeError(
            f"Flow {self._draft.cls.__name__} has no step, configuration or parameter '{name}'. {hint}".rstrip()
        )

    def __repr__(self) -> str:
        return f"<flow {self._draft.cls.__name__}, to be changed>"
