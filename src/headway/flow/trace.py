"""From a pipeline's body to its graph: the body is run once, and each call of a step in it is noted.

Run and not read: what a body does with its parameters (loops, conditions, helpers) is ordinary Python. The
launcher alone does this; a pod is told which function to call with what.
"""

import inspect
import os
import sys
from types import FrameType

from headway.call import Call, Place, replaced
from headway.errors import FlowDefinitionError, HeadwayError
from headway.flow.decorators import DecoratorSpec
from headway.flow.docstrings import cleaned
from headway.flow.function_step import function_of, note_calls, options_of
from headway.flow.graph import CALL, Graph, Node
from headway.flow.names import did_you_mean
from headway.flow.operator_settings import merged
from headway.flow.option_words import PIPELINE, check_words
from headway.flow.output import Output
from headway.flow.outputs import Outputs, outputs_of
from headway.flow.pipeline import Pipeline
from headway.flow.source import SourceReader
from headway.flow.step import StepMark, step_mark
from headway.flow.step_options import CALL_NAMES, StepOptions, is_call_name, no_effect, put_below, settle
from headway.plain import Any, Mapping, NamedTuple, Optional, Sequence

#: Words of a call that are no arguments of its step, unless its function has parameters called so.
_ABOUT = ("id", "after")

#: Options of a pipeline that only the one which is run has.
_OF_THE_OUTER = ("environment", "retry", "settings", "steps", "tags")

#: Where this package stands: frames of its own code are not where a person made a mistake.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Traced(NamedTuple):
    """What a pipeline does with certain arguments.

    Attributes:
        graph: Its calls.
        constants: By call, the arguments that are no outputs of others.
        options: By call, what it was given besides: what its settings say of a pod counts should it run in one.
    """

    graph: Graph
    constants: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, StepOptions]

    def graph_with(self, late: Sequence[DecoratorSpec]) -> Graph:
        """The graph with late decorators.

        What sends a step into a pod fills in what the step's settings leave open, as it does with ``@kubernetes``, and
        what the pipeline says fills in what both do.
        """
        graph = self.graph.with_decorators(late)
        for name, options in self.options.items():
            node = graph.nodes[name]
            sent = node.decorator("kubernetes")
            if sent is None or not sent.attached:
                continue
            specs = list(node.decorators)
            rest = () if options.general is None else (options.general,)
            if options.pod:
                own = DecoratorSpec("kubernetes", options.pod, f"{node.file}:{node.line}")
                specs[specs.index(sent)] = own._replace(beneath=(*_said(sent), *rest))
            elif rest:
                specs[specs.index(sent)] = sent._replace(beneath=(*sent.beneath, *rest))
            for spec in options.in_pods:
                put_below(specs, spec)
            graph.nodes[name] = node._replace(decorators=tuple(specs))
        return graph


class _Noted(NamedTuple):
    name: str
    step: Any
    call: Call
    needs: tuple[str, ...]
    constants: Mapping[str, Any]
    options: StepOptions


def trace(pipeline: Pipeline, arguments: Mapping[str, Any], source: Optional[str] = None) -> Traced:
    """Run a pipeline's body and note the calls that it makes.

    Args:
        pipeline: The pipeline.
        arguments: What its function is called with.
        source: The text of the program, where it is in no file.

    Raises:
        FlowDefinitionError: The body, or a step that it calls, is wrong: what, where, and what to write.
    """
    tracer = _Tracer(pipeline, SourceReader(source))
    tracer.check()
    before = note_calls(tracer.note)
    try:
        pipeline.entrypoint(**arguments)
    except HeadwayError:
        raise
    except Exception as error:
        file, line = _place_of(error, pipeline.file)
        raise FlowDefinitionError(
            f"The body of pipeline '{pipeline.name}' failed: {type(error).__name__}: {error}",
            "It runs once, in the launcher, to see which steps it calls; what is to be computed belongs in steps.",
            file,
            line,
        ) from error
    finally:
        note_calls(before)
    return tracer.traced()


class _Tracer:
    def __init__(self, pipeline: Pipeline, reader: SourceReader) -> None:
        self._pipeline = pipeline
        self._reader = reader
        self._noted: dict[str, _Noted] = {}
        #: What ``with_options(steps=…)`` says of calls.
        self._of_steps: Any = pipeline.options.get("steps") or {}
        self._ignored: list[str] = []

    def check(self) -> None:
        """Check what the pipeline itself was given."""
        self._ignored += check_words(self._pipeline.options, PIPELINE, self._refuse)
        steps = self._of_steps
        if not isinstance(steps, Mapping) or not all(isinstance(each, Mapping) for each in steps.values()):
            raise self._refuse(
                f"has steps={steps!r}.",
                'Write a dict of dicts: steps={"train": {"parameters": {"rate": 0.1}}}.',
            )

    def note(self, step: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Note a call; what stands for its outputs. The calls of a pipeline within this one become this one's."""
        if isinstance(step, Pipeline):
            return self._joined(step, given, named)
        function = function_of(step)
        file, line = _caller()
        refuse = _Refusal(function.__name__, file, line)
        _check_place(function, refuse)
        signature = inspect.signature(function)
        _check_signature(signature, refuse)
        words = dict(named)
        about = {
            word: words.pop(word) for word in _ABOUT if word in words and word not in signature.parameters
        }
        written = options_of(step)
        name = self._named(str(written.get("name") or function.__name__), about.get("id"), refuse)
        if name in self._of_steps:
            written = merged(written, self._of_steps[name])
        place = f"{self._pipeline.file}:{self._pipeline.line}"
        options = settle(self._pipeline.options, written, step, function, place)
        arguments = _bound(signature, given, words, options.parameters, refuse)
        needs: dict[str, int] = {}
        outputs = outputs_of(function, self._reader)
        call, constants = self._call(function, arguments, needs, outputs, refuse)
        for each in _flat(about.get("after")):
            needs.setdefault(self._meant(each, refuse), len(needs))
        self._noted[name] = _Noted(name, step, call, tuple(needs), constants, options)
        stand_ins = tuple(Output(name, output) for output in outputs.names)
        if outputs.several:
            return stand_ins
        return stand_ins[0] if stand_ins else Output(name, "")

    def traced(self) -> Traced:
        """All that was noted."""
        pipeline = self._pipeline
        if not self._noted:
            raise self._refuse(
                "calls no step.", "Call at least one function that is marked with @step in its body."
            )
        for name in self._of_steps:
            if name not in self._noted:
                raise self._refuse(
                    f"has steps={{{name!r}: …}}, and calls none of that name.",
                    did_you_mean(name, self._noted),
                )
        needed_by: dict[str, list[str]] = {name: [] for name in self._noted}
        for noted in self._noted.values():
            for need in noted.needs:
                needed_by[need].append(noted.name)
        nodes = [_node(noted, tuple(needed_by[noted.name])) for noted in self._noted.values()]
        graph = Graph(pipeline.name, nodes, nodes[0].name, nodes[-1].name, cleaned(pipeline.__doc__))
        options = [noted.options for noted in self._noted.values()]
        left = frozenset.intersection(*(each.left for each in options))
        ignored = {
            *self._ignored,
            *(word for each in options for word in each.ignored),
            *map(no_effect, left),
        }
        graph.notes = tuple(sorted(ignored))
        return Traced(
            graph,
            {name: noted.constants for name, noted in self._noted.items() if noted.constants},
            {name: noted.options for name, noted in self._noted.items()},
        )

    def _joined(self, inner: Pipeline, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """What another pipeline's body returns, which is run for this one."""
        lost = [word for word in _OF_THE_OUTER if inner.options.get(word)]
        if lost:
            self._ignored.append(
                f"Pipeline {inner.name} is called within {self._pipeline.name}, whose options count: "
                f"{', '.join(lost)} of {inner.name} have no effect."
            )
        below = inner.options.get("parameters")
        if not below:
            return inner.entrypoint(*given, **named)
        bound = inspect.signature(inner.entrypoint).bind_partial(*given, **named).arguments
        return inner.entrypoint(**{**below, **bound})

    def _refuse(self, what: str, hint: str) -> FlowDefinitionError:
        pipeline = self._pipeline
        return FlowDefinitionError(f"Pipeline '{pipeline.name}' {what}", hint, pipeline.file, pipeline.line)

    def _named(self, usual: str, wanted: Any, refuse: "_Refusal") -> str:
        if wanted is not None:
            if not is_call_name(wanted):
                raise refuse(f"has the id {wanted!r}.", CALL_NAMES)
            if wanted in self._noted:
                raise refuse(f"has the id {wanted!r}, and so has a call before it.", "Give it another.")
            return str(wanted)
        name, number = usual, 1
        while name in self._noted:
            number += 1
            name = f"{usual}_{number}"
        return name

    def _meant(self, each: Any, refuse: "_Refusal") -> str:
        """The call that stands behind ``after=``."""
        name = each.call if isinstance(each, Output) else each
        if not isinstance(name, str) or name not in self._noted:
            known = did_you_mean(str(name), self._noted) if self._noted else "No step was called before it."
            raise refuse(f"is to come after {name!r}, which was not called before it.", known)
        return name

    def _call(
        self,
        function: Any,
        arguments: Mapping[str, Any],
        needs: dict[str, int],
        outputs: Outputs,
        refuse: "_Refusal",
    ) -> tuple[Call, dict[str, Any]]:
        """The note of a call, and its other arguments; what it needs is added to those known."""

        def place(output: Output) -> Place:
            if not output.artifact:
                raise refuse(
                    f"is handed what '{output.call}' returns, which its annotation says is None.",
                    f"Write after='{output.call}' to wait for it, or annotate what it returns.",
                )
            return Place(needs.setdefault(output.call, len(needs)), output.artifact)

        direct: list[tuple[str, int, str]] = []
        constants: dict[str, Any] = {}
        for name, value in arguments.items():
            if type(value) is Output:
                found = place(value)
                direct.append((name, found.need, found.artifact))
            else:
                constants[name] = replaced(value, Output, place)
        call = Call(
            function.__module__,
            function.__qualname__,
            tuple(direct),
            outputs.names,
            outputs.several,
            bool(constants),
        )
        return call, constants


class _Refusal(NamedTuple):
    """Makes the errors of one call."""

    step: str
    file: Optional[str]
    line: Optional[int]

    def __call__(self, what: str, hint: str) -> FlowDefinitionError:
        return FlowDefinitionError(f"The call of step '{self.step}' {what}", hint, self.file, self.line)


def _node(noted: _Noted, targets: tuple[str, ...]) -> Node:
    code = function_of(noted.step).__code__
    mark = step_mark(noted.step) or StepMark()
    return Node(
        noted.name,
        CALL,
        targets,
        doc=cleaned(function_of(noted.step).__doc__),
        file=code.co_filename,
        line=code.co_firstlineno,
        decorators=noted.options.decorators,
        info=mark.info,
        needs=noted.needs,
        call=noted.call,
    )


def _check_place(function: Any, refuse: _Refusal) -> None:
    if "<locals>" in function.__qualname__ or function.__name__ == "<lambda>":
        raise refuse(
            "cannot be made elsewhere: its function stands within another one, where pods cannot find it.",
            "Define it at the top level of its file.",
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise refuse("cannot be made: its function is async.", "Write a plain one that calls asyncio.run(…).")
    if inspect.isgeneratorfunction(function):
        raise refuse(
            "cannot be made: its function yields, and a generator cannot be stored.", "Return a list."
        )


def _check_signature(signature: inspect.Signature, refuse: _Refusal) -> None:
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise refuse(
                f"cannot be made: its function takes {parameter}, and a step's inputs have names.",
                "Write the parameters out; several values of one kind are a list.",
            )


def _bound(
    signature: inspect.Signature,
    given: Sequence[Any],
    named: Mapping[str, Any],
    parameters: Mapping[str, Any],
    refuse: _Refusal,
) -> dict[str, Any]:
    """The arguments by name: those of the call, then those of ``with_options(parameters=…)``."""
    try:
        bound = signature.bind_partial(*given, **named).arguments
        return dict(signature.bind(**{**parameters, **bound}).arguments)
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        raise refuse(f"does not fit its function: {error}.", f"It takes {takes}.") from None


def _flat(value: Any) -> Sequence[Any]:
    """What is given, also within lists, and within the tuples that several outputs are."""
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return [each for item in value for each in _flat(item)]
    return (value,)


def _caller() -> tuple[Optional[str], Optional[int]]:
    """Where the person's code is that made the call."""
    frame: Optional[FrameType] = sys._getframe(1)
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_OURS):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else (None, None)


def _said(spec: DecoratorSpec) -> tuple[DecoratorSpec, ...]:
    """What a late decorator says, and those beneath it."""
    return tuple(each for each in (spec._replace(beneath=()), *spec.beneath) if each.attributes)


def _place_of(error: BaseException, own: str) -> tuple[Optional[str], Optional[int]]:
    """The innermost place from which an exception came: in the pipeline's own file, else in other code than ours."""
    places: list[tuple[Optional[str], Optional[int]]] = []
    trace = error.__traceback__
    while trace is not None:
        places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    theirs = [place for place in places if not os.path.abspath(place[0] or "").startswith(_OURS)]
    mine = [place for place in theirs if place[0] == own]
    return (mine or theirs or [(None, None)])[-1]
