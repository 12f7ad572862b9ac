"""Lets a flow's mutators change it, once its configurations are known and before anything else; the launcher's alone."""

from collections.abc import Iterable
from typing import Any, Optional

from headway.flow.declared import Declared
from headway.flow.decorators import DecoratorSpec, decorators_of
from headway.flow.draft import Draft
from headway.flow.evaluate import evaluate_parameter, evaluate_spec
from headway.flow.graph import attach
from headway.flow.mutable_flow import MutableFlow
from headway.flow.mutable_step import MutableStep
from headway.flow.packaged import Packaged, as_packaged
from headway.flow.step import steps_of
from headway.flow.user_check import check_user_spec, of_user
from headway.flow.user_decorators import FlowMutator, StepMutator, made


def flow_mutators_of(cls: Any) -> list[DecoratorSpec]:
    """The mutators that stand on a flow's class: those of its bases first, on each class from bottom to top."""
    return [
        spec
        for base in reversed(cls.__mro__)
        for spec in reversed(decorators_of(base))
        if spec.user is not None and issubclass(spec.user, FlowMutator)
    ]


def mutators_in(specs: Iterable[DecoratorSpec]) -> list[DecoratorSpec]:
    """The mutators among the decorators of a step."""
    return [spec for spec in specs if spec.user is not None and issubclass(spec.user, StepMutator)]


def has_mutators(cls: Any) -> bool:
    """Whether a flow has mutators, on its class or on a step."""
    return bool(flow_mutators_of(cls)) or any(
        mutators_in(decorators_of(step)) for step in steps_of(cls).values()
    )


class Mutation:
    """A flow that its mutators change, in two times: before ``--with`` adds to it, and after.

    Args:
        declared: What the flow declares by itself.
    """

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        attributes = {attribute: declared.scope[attribute] for attribute in declared.configs}
        steps = {name: list(specs) for name, specs in declared.decorators.items()}
        names = {attribute: config._declaration.name for attribute, config in declared.configs.items()}
        parameters = dict(declared.parameters)
        self._draft = Draft(declared.cls, attributes, names, parameters, list(declared.flow), steps)
        self._made: dict[int, tuple[DecoratorSpec, Any]] = {}
        self._flow_mutators = [evaluate_spec(spec, declared.scope) for spec in flow_mutators_of(declared.cls)]
        self._before()

    @property
    def declared(self) -> Declared:
        """What the flow declares by now."""
        scope = self._declared.scope
        return self._declared._replace(
            flow=tuple(evaluate_spec(spec, scope) for spec in self._draft.decorators),
            parameters={
                name: evaluate_parameter(each, scope) for name, each in self._draft.parameters.items()
            },
            decorators={
                name: tuple(evaluate_spec(spec, scope) for spec in specs)
                for name, specs in self._draft.steps.items()
            },
        )

    def _before(self) -> None:
        # The list grows while it is gone through: a mutator may add another one.
        for spec in self._flow_mutators:
            self._call(spec, "pre_mutate", None)
        for step in self._draft.steps:
            self._mutate_step(step, set())

    def finish(self, late: Iterable[DecoratorSpec]) -> Declared:
        """What the flow declares once late decorators have joined and all mutators were heard.

        Args:
            late: What ``--with`` and the like attach to each step that lacks it.
        """
        attached = tuple(late)
        for step, specs in self._draft.steps.items():
            known = {id(spec) for spec in mutators_in(specs)}
            specs[:] = attach(tuple(specs), attached)
            self._mutate_step(step, known)
        for spec in self._flow_mutators:
            self._call(spec, "mutate", None)
        for step, specs in self._draft.steps.items():
            for spec in reversed(mutators_in(specs)):
                self._call(spec, "mutate", step)
        return self.declared

    def packaged(self) -> list[Packaged]:
        """What its mutators ask to be shipped with its code.

        Raises:
            FlowDefinitionError: One fails, or asks for what cannot be shipped.
        """
        found = []
        for spec, mutator in self._made.values():
            try:
                found += [as_packaged(each, f"@{spec.name}") for each in mutator.add_to_package() or ()]
            except Exception as error:
                raise of_user(error, f"add_to_package of @{spec.name}") from error
        return found

    def _mutate_step(self, step: str, heard: set[int]) -> None:
        """Call ``pre_mutate`` of a step's mutators from bottom to top, those too that they add."""
        while True:
            waiting = [
                spec for spec in reversed(mutators_in(self._draft.steps[step])) if id(spec) not in heard
            ]
            if not waiting:
                return
            heard.add(id(waiting[0]))
            self._call(waiting[0], "pre_mutate", step)

    def _call(self, spec: DecoratorSpec, method: str, step: Optional[str]) -> None:
        where = f"flow {self._draft.cls.__name__}" if step is None else f"step '{step}'"
        who = f"@{spec.name} on {where}"
        flow = MutableFlow(self._draft, self._flow_mutators, method == "pre_mutate", not spec.attached, who)
        target = flow if step is None else MutableStep(flow, step)
        # One object hears both calls; the note is kept with it, so that its number stays its own.
        key = hash((id(spec), step))
        if key not in self._made:
            check_user_spec(spec, where)
            try:
                self._made[key] = (spec, made(spec.user, spec.positional, spec.attributes))
            except Exception as error:
                raise of_user(error, f"init of {who}") from error
            self._made[key][1]._flow_cls = self._draft.cls
        try:
            getattr(self._made[key][1], method)(target)
        except Exception as error:
            raise of_user(error, f"{method} of {who}") from error
