"""The static graph of a flow class, read from the last statement of each of its steps.

Read and not run: what follows a step must be known before anything starts. The launcher alone does
this; a pod is told what it needs.
"""

import _ast as ast

from headway.flow.assemble import assemble
from headway.flow.cards import NO_CARDS
from headway.flow.check import check_class
from headway.flow.declared import Declared, as_written
from headway.flow.decorators import DecoratorSpec
from headway.flow.docstrings import cleaned
from headway.flow.flow_catalogue import checked_flow_decorators
from headway.flow.graph import END, JOIN, LINEAR, Graph, Node
from headway.flow.next_call import NextCall, Refusal, find_next, own_names, read_next
from headway.flow.parameter_checks import parameter_notes
from headway.flow.source import SourceReader
from headway.flow.step import StepMark, step_mark, steps_of
from headway.flow.syntax import FunctionNode
from headway.plain import Any, Callable, Mapping, Optional


def parse_flow(cls: Any, source: Optional[str] = None, declared: Optional[Declared] = None) -> Graph:
    """The graph of a flow class.

    Args:
        cls: The class; steps that it inherits count, those it overrides do not.
        source: The text of the program, where it is in no file; ``python -c`` is found without it.
        declared: What the class declares, once its configurations are known; by default what is written.

    Raises:
        FlowDefinitionError: The class is not a valid flow: what is wrong, where, and what to write.
    """
    known = declared or as_written(cls)
    check_class(known)
    reader = SourceReader(source)
    scope = None if declared is None else declared.scope
    notes = parameter_notes(known.parameters.values())
    nodes = [
        _read_step(reader, name, function, known.decorators[name], scope, notes)
        for name, function in steps_of(cls).items()
    ]
    if reader.mentions("current.card") and not _has_cards(known):
        notes.append(NO_CARDS)
    graph = assemble(cls.__name__, nodes, cleaned(cls.__doc__))
    graph.notes = tuple(notes)
    graph.decorators = checked_flow_decorators(cls, known.flow)
    return graph


def _has_cards(known: Declared) -> bool:
    """Whether a step has @card, of which it is said that none is made."""
    return any(spec.name == "card" for specs in known.decorators.values() for spec in specs)


def _read_step(
    reader: SourceReader,
    name: str,
    function: Callable[..., Any],
    decorators: tuple[DecoratorSpec, ...],
    configs: Optional[Mapping[str, Any]],
    notes: list[str],
) -> Node:
    definition, file = reader.find(function)
    refuse = Refusal(name, file, definition.lineno)
    takes_inputs = _takes_inputs(refuse, definition)
    this = own_names(definition, _arguments(definition)[0].arg)
    mark = step_mark(function) or StepMark()
    found = find_next(refuse, definition, this, mark.end or name == "end")
    notes += found.notes
    said = read_next(refuse, found.call, this, configs) if found.call is not None else NextCall(END)
    if said.kind == LINEAR and takes_inputs:
        said = said._replace(kind=JOIN)
    return Node(
        name,
        **said._asdict(),
        takes_inputs=takes_inputs,
        doc=cleaned(function.__doc__),
        file=file,
        line=definition.lineno,
        decorators=decorators,
        start=mark.start,
        end=mark.end,
        info=mark.info,
    )


def _arguments(definition: FunctionNode) -> list[ast.arg]:
    return [*definition.args.posonlyargs, *definition.args.args]


def _takes_inputs(refuse: Refusal, definition: FunctionNode) -> bool:
    if isinstance(definition, ast.AsyncFunctionDef):
        raise refuse("is an async function.", "Write def; a step may run an event loop of its own inside.")
    arguments = definition.args
    required_only = not (arguments.vararg or arguments.kwarg or arguments.kwonlyargs)
    count = len(_arguments(definition))
    if not required_only or count not in (1, 2):
        raise refuse(
            "takes *arguments, **arguments or keyword-only ones."
            if not required_only
            else f"takes {count} arguments.",
            "A step takes (self), or (self, inputs) where it joins the tasks of a split.",
        )
    return count == 2
