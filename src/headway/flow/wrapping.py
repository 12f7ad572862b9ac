"""Calls a step with the decorators around it that people wrote; for steps that have such decorators only."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from headway.errors import FlowDefinitionError
from headway.flow.user_decorators import UserStepDecorator, name_of

#: A step's own arguments for ``self.next``, as its code has them.
UsualNext = Mapping[str, Any]


def call_wrapped(
    flow: Any, step: str, inputs: Any, wrappers: Sequence[UserStepDecorator], usual: UsualNext
) -> bool:
    """Call a step within its decorators, the first of them outermost.

    Args:
        flow: The flow object.
        step: The step.
        inputs: What a join joins, else None.
        wrappers: The decorators.
        usual: ``targets`` and, as far as the step's code has them, ``foreach``, ``num_parallel``, ``condition``
            and ``cases``.

    Returns:
        Whether ``self.next`` was called in the step's place.
    """
    return _Call(flow, step, inputs, usual).run(wrappers)


class _Call:
    """One call of a step.

    Attributes:
        next: What ``self.next`` is to be given in place of what the step gives it: arguments, True for the
            step's usual ones, None to leave it to the step.
        error: What was raised and is not settled.
    """

    def __init__(self, flow: Any, step: str, inputs: Any, usual: UsualNext) -> None:
        self.flow = flow
        self.step = step
        self.arguments = (flow,) if inputs is None else (flow, inputs)
        self.inputs = inputs
        self.usual = usual
        self.next: Any = None
        self.error: Optional[Exception] = None

    def run(self, wrappers: Sequence[UserStepDecorator]) -> bool:
        entered: List[UserStepDecorator] = []
        # What a pre_step raises fails the task: no post_step hears it, and so none settles what never began.
        instead = self._enter(wrappers, entered)
        try:
            if self.next is None:
                self._call(instead)
        except Exception as error:
            self.error = error
        raised = self.error is not None
        for wrapper in reversed(entered):
            self._leave(wrapper)
        if self.error is not None:
            raise self.error
        if self.next is None and raised:
            self.next = True
        if self.next is None or self.next is False:
            return False
        self._go_on()
        return True

    def _enter(
        self, wrappers: Sequence[UserStepDecorator], entered: List[UserStepDecorator]
    ) -> Optional[Callable[..., Any]]:
        """Call each ``pre_step``, up to one that skips the step or gives what is called in its place."""
        for wrapper in wrappers:
            replacement = wrapper.pre_step(self.step, self.flow, self.inputs)
            entered.append(wrapper)
            # As in Metaflow, an empty dict asks for nothing here; a generator that yields one has made True of it.
            if wrapper.skip_step:
                self.next = wrapper.skip_step
                return None
            if replacement is not None:
                if not callable(replacement):
                    raise _wrong(
                        wrapper, "pre_step", replacement, "None, or a function to call in place of the step"
                    )
                return replacement
        return None

    def _call(self, instead: Optional[Callable[..., Any]]) -> None:
        if instead is None:
            getattr(self.flow, self.step)(*self.arguments[1:])
            return
        said = instead(*self.arguments)
        if said is None and self.flow.__dict__["_headway"].transition is None:
            # Other code in the step's place changes nothing of the graph.
            said = True
        self.next = said or None

    def _leave(self, wrapper: UserStepDecorator) -> None:
        try:
            said = wrapper.post_step(self.step, self.flow, self.error)
        except Exception as error:
            self.error = error
            return
        following = None
        if isinstance(said, tuple) and len(said) == 2:
            said, following = said
        if said is not None and not isinstance(said, Exception):
            self.error = _wrong(
                wrapper, "post_step", said, "an exception or None, or that and a dict for self.next"
            )
            return
        self.error = said
        if following is not None and following is not False:
            self.next = following

    def _go_on(self) -> None:
        """Call ``self.next`` in the step's place."""
        if not self.usual.get("targets"):
            return
        given: Dict[str, Any] = {}
        if isinstance(self.next, dict):
            given = self.next
        elif self.next is not True:
            raise FlowDefinitionError(
                f"A decorator of step '{self.step}' says that {self.next!r} follows.",
                "It takes True for what the step itself says, or a dict of arguments for self.next.",
            )
        forget_next(self.flow)
        targets = [getattr(self.flow, name) for name in self.usual["targets"]]
        if given:
            self.flow.next(*targets, **given)
        else:
            self._usual(targets)

    def _usual(self, targets: List[Any]) -> None:
        usual = self.usual
        if usual.get("foreach"):
            self.flow.next(*targets, foreach=usual["foreach"])
        elif usual.get("condition"):
            value = getattr(self.flow, usual["condition"])
            # Cases are known as text; the one that is meant gets the value that it is compared with.
            cases = {
                value if str(value) == case else case: getattr(self.flow, target)
                for case, target in usual["cases"]
            }
            self.flow.next(cases, condition=usual["condition"])
        elif "num_parallel" in usual:
            if usual["num_parallel"] is None:
                raise FlowDefinitionError(
                    f"Step '{self.step}' goes on to a number of nodes that only its own code knows.",
                    'Say it in its place: a dict like {"num_parallel": 4} instead of True.',
                )
            self.flow.next(*targets, num_parallel=usual["num_parallel"])
        else:
            self.flow.next(*targets)


def forget_next(flow: Any) -> None:
    """Let ``self.next`` be called once more."""
    flow.__dict__["_headway"].transition = None


def _wrong(wrapper: UserStepDecorator, method: str, said: Any, wanted: str) -> FlowDefinitionError:
    return FlowDefinitionError(
        f"{method} of @{name_of(type(wrapper))} returned {said!r}, a {type(said).__name__}.",
        f"It returns {wanted}.",
    )
