"""``@pipeline``: a function whose body says which steps are called with what. Imported in pods, run by the launcher."""

import sys

from headway.errors import FlowDefinitionError
from headway.flow import entry
from headway.flow.function_step import is_traced, note_call, options_with
from headway.plain import Any, Callable, Dict, Optional, Union


class Pipeline:
    """A pipeline: calling it runs it.

    Attributes:
        entrypoint: The function.
        name: What its runs are found under: the function's name unless ``@pipeline(name=…)`` says another.
        options: What ``@pipeline`` was given.
        file: Where it is written.
        line: The line there.
    """

    def __init__(self, function: Callable[..., Any], options: Dict[str, Any]) -> None:
        self.entrypoint = function
        self.options = options
        self.file = function.__code__.co_filename
        self.line = function.__code__.co_firstlineno
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__qualname__ = function.__qualname__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    @property
    def name(self) -> str:
        """What its runs are found under."""
        return str(self.options.get("name") or self.__name__)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the pipeline with these arguments; within another one's body its calls join that one's.

        Where the program was started with a command (``python file.py show``), that is done instead, and
        the process ends; ``run`` takes parameters as options, those given here being their defaults.

        Returns:
            The :class:`headway.Run`, once it has succeeded.

        Raises:
            PipelineFailedError: It has not; uncaught, it ends the program with exit code 1 and no traceback.
        """
        if is_traced():
            return note_call(self, arguments, named)
        return entry.start_pipeline(self, arguments, named)

    def with_options(self, **options: Any) -> "Pipeline":
        """A copy of the pipeline with other options of ``@pipeline``; dicts among them are merged.

        ``steps={"train": {"parameters": {…}, "settings": {…}}}`` says what ``@step`` could say of its calls.
        """
        return Pipeline(self.entrypoint, options_with(self.options, options))

    def configure(self, **options: Any) -> "Pipeline":
        """The pipeline itself, with other options of ``@pipeline``, likewise."""
        self.options.update(options_with(self.options, options))
        return self

    def __repr__(self) -> str:
        return f"<pipeline {self.name}>"


def pipeline(
    function: Optional[Callable[..., Any]] = None, **options: Any
) -> Union[Pipeline, Callable[[Callable[..., Any]], Pipeline]]:
    """Make a pipeline of a function that calls steps.

    Its body is run once, in the launcher, when the pipeline is called: each call of a ``@step`` in it is one
    task, and returns what stands for that task's outputs; hand it to other steps. Parameters of the function
    are the pipeline's, and options of its command line.

    Args:
        function: The function, where the decorator is written without parentheses.
        **options: ``name``, ``settings``, ``retry``, ``environment``, ``tags``, ``parameters`` (of the function, below
            what it is called with) and ``steps`` (options of its calls, by their names); what else ZenML knows is
            taken, and named once when the pipeline runs.

    Raises:
        FlowDefinitionError: It stands on what is no function.
    """
    if function is None:
        return lambda decorated: _made(decorated, options)
    return _made(function, options)


def _made(function: Any, options: Dict[str, Any]) -> Pipeline:
    if not hasattr(function, "__code__"):
        caller = sys._getframe(2)
        raise FlowDefinitionError(
            f"@pipeline stands on a {type(function).__name__}; a pipeline is a function.",
            "Write it as: @pipeline def training(rows: int = 100): …",
            caller.f_code.co_filename,
            caller.f_lineno,
        )
    return Pipeline(function, dict(options))
