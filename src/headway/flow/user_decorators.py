"""Decorators that people write themselves: what they derive from, and how such a decorator notes itself.

Like Headway's own decorators they only leave a note on what they stand on. What a :class:`StepMutator` or
:class:`FlowMutator` changes is worked out once, by the launcher (:mod:`headway.flow.mutate`); a
:class:`UserStepDecorator` runs with its step, wherever that is (:mod:`headway.flow.wrapping`).
"""

import sys
from typing import Any, Callable, Dict, Generator, Iterable, Optional, Tuple, Union

from headway.errors import FlowDefinitionError
from headway.flow.decorators import DecoratorSpec, note_on
from headway.flow.step import step_mark

_GENERATOR = 0x20  # a code object's flag, which the module inspect would know too, at five milliseconds

#: Yielded by a decorator made with :func:`user_step_decorator`: the step is skipped, and the flow goes on behind it.
USER_SKIP_STEP: Dict[str, Any] = {}


class UserDecorator:
    """What all decorators have in common that people write themselves.

    Written above ``@step`` (or a flow's class), with or without parentheses. What stands between the
    parentheses is given to :meth:`init`; only a class that has an ``init`` of its own takes something.
    """

    #: By this a decorator is known that stands where it cannot, without loading this module everywhere.
    _headway_user_decorator = True

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        if len(arguments) == 1 and not named and (cls._fits(arguments[0]) or _is_flow(arguments[0])):
            return note_on(arguments[0], cls._spec((), {}, sys._getframe(1)))
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._args = arguments
        self._kwargs = named

    def __call__(self, target: Any) -> Any:
        """Stand on a step, or on a flow's class."""
        spec = self._spec(self._args, self._kwargs, sys._getframe(1))
        # A step's on a flow is not an error yet: the check of the flow names the class, the file and the line.
        if not (self._fits(target) or _is_flow(target)):
            file, line = spec.location
            raise FlowDefinitionError(
                f"@{type(self).__name__} stands on {getattr(target, '__name__', target)!r}, "
                f"which is not {self._belongs}.",
                f"Put @{type(self).__name__} above {self._above}.",
                file,
                line,
            )
        return note_on(target, spec)

    def init(self, *arguments: Any, **named: Any) -> None:
        """Take what stands between the decorator's parentheses."""

    #: For words: on what it belongs, and what it is written above.
    _belongs = "a step"
    _above = "@step"

    @classmethod
    def _fits(cls, target: Any) -> bool:
        return step_mark(target) is not None

    @classmethod
    def _spec(cls, arguments: Tuple[Any, ...], named: Dict[str, Any], frame: Any) -> DecoratorSpec:
        source = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        return DecoratorSpec(name_of(cls), named, source, arguments, cls)

    def __repr__(self) -> str:
        return f"@{name_of(type(self))}"


def _is_flow(target: Any) -> bool:
    # Not by its class: that would need FlowSpec, which every class with steps derives from in any case.
    return isinstance(target, type) and any(base.__name__ == "FlowSpec" for base in target.__mro__)


def name_of(kind: Any) -> str:
    """The whole name of such a decorator; it holds a dot always, which no decorator of Headway's has."""
    module = kind.__module__
    if module == "__main__":
        file = getattr(sys.modules["__main__"], "__file__", None) or "main.py"
        module = file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
    return f"{module}.{kind.__qualname__}"


def made(kind: Any, arguments: Tuple[Any, ...], named: Any) -> Any:
    """A decorator of this class that has taken its arguments."""
    decorator = object.__new__(kind)
    decorator.__init__(*arguments, **named)
    decorator.init(*arguments, **named)
    return decorator


class Mutator(UserDecorator):
    """What both kinds of mutators can do."""

    #: The flow's class, once the launcher has made the mutator.
    _flow_cls: Any = None

    def add_to_package(self) -> Iterable[Any]:
        """Ship further files with the flow's code, where code is shipped.

        Returns:
            For each a pair, the path of the file or folder and its place beside the flow's file; or three parts,
            the last of :class:`~headway.flow.packaged.ContentType`.
        """
        return ()


class StepMutator(Mutator):
    """Changes the decorators of the step that it stands on, before anything runs.

    Derive from it and write :meth:`pre_mutate`, or :meth:`mutate`, or both.
    """

    def pre_mutate(self, mutable_step: Any) -> None:
        """Change the step before ``--with`` adds to it; the only place to add or remove further mutators.

        Args:
            mutable_step: A :class:`~headway.flow.mutable_step.MutableStep`.
        """

    def mutate(self, mutable_step: Any) -> None:
        """Change the step once all the others have been heard.

        Args:
            mutable_step: A :class:`~headway.flow.mutable_step.MutableStep`.
        """


class FlowMutator(Mutator):
    """Changes the flow that it stands on, and its steps, before anything runs.

    Derive from it and write :meth:`pre_mutate`, or :meth:`mutate`, or both.
    """

    _belongs = "a flow"
    _above = "the class of a flow"

    @classmethod
    def _fits(cls, target: Any) -> bool:
        return _is_flow(target)

    def pre_mutate(self, mutable_flow: Any) -> None:
        """Change parameters and decorators of the flow, and its steps, before ``--with`` adds to them.

        Args:
            mutable_flow: A :class:`~headway.flow.mutable_flow.MutableFlow`.
        """

    def mutate(self, mutable_flow: Any) -> None:
        """Change the flow's steps once all decorators are there.

        Args:
            mutable_flow: A :class:`~headway.flow.mutable_flow.MutableFlow`.
        """


class UserStepDecorator(UserDecorator):
    """Does something before and after the step that it stands on, or in its place, in the process that runs it."""

    _skip: Union[bool, Dict[str, Any]] = False

    def pre_step(self, step_name: str, flow: Any, inputs: Any = None) -> Optional[Callable[..., Any]]:
        """Called before what it stands above.

        Args:
            step_name: The step.
            flow: The flow object, as the step has it.
            inputs: What a join joins, else None.

        Returns:
            None, or what is called in place of the step, with the same arguments; what that returns says what
            follows, as for :attr:`skip_step`; None, False or {} that it called ``self.next`` itself.

        Raises:
            Exception: Whatever it raises fails the task; no decorator of the step hears of it in ``post_step``.
        """
        return None

    def post_step(self, step_name: str, flow: Any, exception: Optional[Exception] = None) -> Any:
        """Called after what it stands above.

        Args:
            step_name: The step.
            flow: The flow object; what is set here becomes artifacts.
            exception: What was raised.

        Returns:
            The exception to go on with, None where all is well now; or that and a dict of arguments for
            ``self.next`` ({} for the step's own, None to leave it as it is).
        """
        return exception, None

    @property
    def skip_step(self) -> Union[bool, Dict[str, Any]]:
        """Whether the step is skipped: False (or {}), True, or the arguments for ``self.next`` in place of its own."""
        return self._skip

    @skip_step.setter
    def skip_step(self, value: Union[bool, Dict[str, Any]]) -> None:
        self._skip = value


class _Generated(UserStepDecorator):
    """A decorator made of a generator: what stands before its ``yield`` runs before the step, the rest after it."""

    _function: Any = None
    _takes_attributes = False

    def init(self, *arguments: Any, **named: Any) -> None:
        self._attributes = named

    def pre_step(self, step_name: str, flow: Any, inputs: Any = None) -> Optional[Callable[..., Any]]:
        given = (step_name, flow, inputs) + ((self._attributes,) if self._takes_attributes else ())
        self._running: Generator[Any, None, Any] = type(self)._function(*given)
        try:
            yielded = next(self._running)
        except StopIteration:
            # Without a yield there is no place for the step.
            self.skip_step = True
            return None
        if isinstance(yielded, dict):
            self.skip_step = yielded or True
            return None
        replacement: Optional[Callable[..., Any]] = yielded
        return replacement

    def post_step(self, step_name: str, flow: Any, exception: Optional[Exception] = None) -> Any:
        try:
            if exception is not None:
                self._running.throw(exception)
            else:
                next(self._running)
        except StopIteration as end:
            return end.value
        except Exception as error:
            return error
        self._running.close()
        code = type(self)._function.__code__
        return FlowDefinitionError(
            f"{self!r} yields more than once.",
            "The step runs at the one yield.",
            code.co_filename,
            code.co_firstlineno,
        )


def user_step_decorator(function: Any = None, **attributes: Any) -> Any:
    """Make a decorator for steps of a generator: it yields where the step is to run.

    ``@user_step_decorator`` stands on ``def timed(step_name, flow, inputs)``, or with a fourth argument,
    ``attributes``, the dict of what stands between the decorator's parentheses. It yields None to run the step,
    a function to call in its place, or a dict to skip it (:data:`USER_SKIP_STEP`, or arguments for ``self.next``).
    What the step raises is raised at the ``yield``; who catches it there makes the step succeed.

    Raises:
        FlowDefinitionError: It is no generator function of three or four arguments.
    """
    if function is None:
        return lambda generator: _generated(generator, needs_attributes=bool(attributes))
    return _generated(function, needs_attributes=False)


def _generated(function: Any, needs_attributes: bool) -> Any:
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & _GENERATOR:
        frame = sys._getframe(2)
        raise FlowDefinitionError(
            f"@user_step_decorator stands on {getattr(function, '__name__', function)!r}, "
            "which is no generator function.",
            "Yield where the step is to run: def timed(step_name, flow, inputs): …; yield; …",
            frame.f_code.co_filename,
            frame.f_lineno,
        )
    count = code.co_argcount
    if count != 4 and (needs_attributes or count != 3):
        wanted = "four" if needs_attributes else "three or four"
        raise FlowDefinitionError(
            f"@user_step_decorator stands on '{function.__name__}', which takes {count} arguments, not {wanted}.",
            f"Write def {function.__name__}(step_name, flow, inputs, attributes).",
            code.co_filename,
            code.co_firstlineno,
        )
    names = {
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
        "_function": staticmethod(function),
        "_takes_attributes": count == 4,
    }
    return type(function.__name__, (_Generated,), names)
