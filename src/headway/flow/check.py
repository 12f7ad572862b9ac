"""The checks of a flow that need no walk over its branches; each raises one error that says what to write.

:mod:`headway.flow.branches` holds the others. The launcher alone runs them: what a pod is given
has passed.
"""

from headway.errors import FlowDefinitionError, HeadwayError
from headway.flow.catalogue import check_decorators
from headway.flow.declared import Declared
from headway.flow.decorator_errors import BadStepDecoratorError
from headway.flow.decorators import DecoratorSpec, decorators_of
from headway.flow.graph import END, FOREACH, PARALLEL, SWITCH, Graph, Node, reachable_from, topological_order
from headway.flow.members import read_only_names
from headway.flow.misuse import error_at
from headway.flow.names import RESERVED_NAMES, did_you_mean
from headway.flow.parameter_checks import check_parameters
from headway.flow.step import members_of, step_mark
from headway.plain import Any, Mapping, Sequence

#: Steps that decide more than which steps follow: had one failed, nobody could say what it would have.
UNCAUGHT = frozenset({FOREACH, PARALLEL, SWITCH})

_IN_STEP_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def check_class(declared: Declared) -> None:
    """Check what stands in a flow's class beside the graph: decorators, parameters and configurations."""
    cls = declared.cls
    for base in cls.__mro__:
        for spec in decorators_of(base):
            if getattr(spec.user, "_above", "@step") != "@step":
                continue
            raise _misplaced(spec, f"on class {base.__name__}")
    for name, member in members_of(cls).items():
        if getattr(type(member), "_headway_user_decorator", False):
            raise FlowDefinitionError(
                f"{member!r} stands on '{name}', which is not {member._belongs} there.",
                f"Put it above {member._above}.",
            )
        if step_mark(member) is None:
            for spec in decorators_of(member):
                raise _misplaced(spec, f"on '{name}', which is not marked with @step")
        else:
            check_decorators(declared.decorators[name], f"step '{name}'")
            _check_var(cls, name, declared.decorators[name])
    check_parameters(declared.parameters.values())


def _check_var(cls: Any, step: str, decorators: tuple[DecoratorSpec, ...]) -> None:
    """What ``@catch(var=…)`` sets has to be something that a step can set."""
    for spec in decorators:
        var = spec.attributes.get("var") if spec.name == "catch" else None
        taken = read_only_names(cls).get(str(var))
        if taken is not None:
            raise error_at(
                spec,
                f"@catch(var={var!r}) on step '{step}': '{var}' is {taken}.",
                "Name an artifact of its own.",
            )


def check_attached(cls: Any, graph: Graph) -> None:
    """Check a graph that late decorators have joined, for what they cannot be beside a class that was checked.

    Args:
        cls: The flow's class.
        graph: Its graph with them.

    Raises:
        UsageError: One of them cannot stand on a step.
    """
    for node in graph:
        _check_var(cls, node.name, node.decorators)
        if graph.is_pipeline:
            check_gang_size(node.name, node.decorators)
    if not graph.is_pipeline:
        check_gangs(graph.nodes)


def check_gang_size(step: str, decorators: Sequence[DecoratorSpec]) -> None:
    """Check that a call of a pipeline that is a gang says on how many nodes: nothing that leads to it can."""
    gang = next((spec for spec in decorators if spec.name in ("parallel", "pytorch_parallel")), None)
    if gang is not None and gang.attributes.get("num_nodes") is None:
        raise error_at(
            gang,
            f"Step '{step}' is @{gang.name}, and does not say on how many nodes.",
            f"Write @{gang.name}(num_nodes=4).",
        )


def check_names(steps: Mapping[str, Node]) -> None:
    """Check that steps are called what steps can be called, and lead to steps that exist."""
    for node in steps.values():
        if node.name in RESERVED_NAMES:
            raise _error(node, "has a name that every flow object uses itself.", "Call it something else.")
        if not _IN_STEP_NAMES.issuperset(node.name) or node.name.startswith("_"):
            raise _error(
                node,
                "has a name that a step cannot have.",
                "Use lower-case letters, digits and underscores, and no underscore first.",
            )
        for target in node.targets:
            if target not in steps:
                hint = did_you_mean(target, steps, "self.{}")
                raise _error(
                    node,
                    f"leads to '{target}' in self.next, which is no step of the flow.",
                    hint,
                    at_next=True,
                )
        for target in set(node.targets):
            if node.targets.count(target) > 1:
                raise _error(
                    node, f"leads to '{target}' twice.", "Name each step once in self.next.", at_next=True
                )


def check_ends(steps: Mapping[str, Node], start: str, end: str) -> None:
    """Check that nothing leads to the start, that the end leads nowhere, and that only it does."""
    first, last = steps[start], steps[end]
    for node in steps.values():
        if start in node.targets and node.name != start:
            raise _error(
                node,
                f"leads to '{start}', where the flow starts.",
                "Nothing can lead to the start.",
                at_next=True,
            )
    if first.takes_inputs:
        raise _error(first, "is the start and takes inputs.", f"Write def {start}(self).")
    if last.kind != END:
        raise _error(
            last, "is the end of the flow, but has a self.next.", "Leave self.next out of it.", at_next=True
        )
    if last.takes_inputs:
        raise _error(
            last, "is the end of the flow and a join.", "Join in a step of its own and lead it to the end."
        )
    for node in steps.values():
        if node.kind == END and node.name != end:
            raise _error(
                node,
                "does not say what follows: it has no self.next.",
                f"End it with self.next(self.<step>), for example self.next(self.{end}).",
            )


def check_reach(steps: Mapping[str, Node], start: str) -> None:
    """Check that every step can be reached and that none comes round again, a switch's own step excepted."""
    for node in steps.values():
        if node.name in node.targets and node.kind != SWITCH:
            raise _error(node, "leads to itself.", "Only a switch may lead to its own step.", at_next=True)
    reachable = reachable_from(steps, start)
    ordered = set(topological_order(steps, start))
    circular = {name for name in reachable if name not in ordered}
    if circular:
        loop = _loop(steps, circular)
        raise _error(
            steps[loop[-1]],
            f"closes a loop: {' → '.join([*loop, loop[0]])}.",
            "A flow goes forward; only a switch may lead to its own step.",
            at_next=True,
        )
    for node in steps.values():
        if node.name not in reachable:
            raise _error(
                node,
                f"is never reached from '{start}'.",
                f"Lead a step to it with self.next(self.{node.name}).",
            )


def check_gangs(steps: Mapping[str, Node]) -> None:
    """Check what ``num_parallel``, ``@parallel`` and ``@catch`` need around them."""
    entered = {target for node in steps.values() for target in node.targets}
    for node in steps.values():
        spec = node.gang
        if spec is not None and node.name not in entered and spec.attributes.get("num_nodes") is None:
            raise _error_with(
                spec,
                node,
                "is @parallel, and nothing says on how many nodes it runs.",
                "Write @parallel(num_nodes=N), or lead to it with num_parallel=N.",
            )
        if node.kind == PARALLEL:
            gang = steps[node.targets[0]]
            if not gang.is_parallel:
                raise _error(
                    node,
                    f"leads to '{gang.name}' with num_parallel, but '{gang.name}' is not a @parallel step.",
                    f"Write @parallel above step '{gang.name}'.",
                    at_next=True,
                )
            if not all(steps[target].takes_inputs for target in gang.targets):
                raise _error(
                    gang,
                    "is @parallel, so that a join has to follow it.",
                    "Lead it to def join(self, inputs).",
                )
        caught = node.decorator("catch")
        if node.kind in UNCAUGHT and caught is not None:
            raise _error_with(
                caught,
                node,
                f"is @catch and ends with a {node.kind}: had it failed, nobody would know what follows.",
                "Write @catch on the steps that can have it, or use --with retry."
                if caught.attached
                else "Let it go on to a step of its own that decides.",
            )
        for target in node.targets:
            gang = steps[target]
            spec = gang.gang
            if spec is not None and node.kind != PARALLEL and spec.attributes.get("num_nodes") is None:
                raise _error_with(
                    spec,
                    node,
                    f"leads to the @parallel step '{target}' without saying on how many nodes it runs.",
                    f"Write self.next(self.{target}, num_parallel=N), or @parallel(num_nodes=N).",
                    at_next=True,
                )


def _loop(steps: Mapping[str, Node], circular: set[str]) -> list[str]:
    """Some loop among steps of which at least one is in a loop: go on until a step comes again."""
    path = [next(name for name in steps if name in circular)]
    while True:
        # Backwards, since behind a loop there may be dead ends, but before each step of it another one.
        before = next(
            name
            for name in steps
            if name in circular and name != path[-1] and path[-1] in steps[name].targets
        )
        if before in path:
            loop = list(reversed(path[path.index(before) :]))
            first = loop.index(next(name for name in steps if name in loop))
            return loop[first:] + loop[:first]
        path.append(before)


def _misplaced(spec: DecoratorSpec, where: str) -> FlowDefinitionError:
    file, line = spec.location
    return BadStepDecoratorError(
        f"@{spec.name} stands {where}.",
        f"Step decorators belong on steps: put @{spec.name} on a method that is marked with @step.",
        file or None,
        line or None,
    )


def _error(node: Node, message: str, hint: str, at_next: bool = False) -> FlowDefinitionError:
    line = node.next_line if at_next and node.next_line else node.line
    return FlowDefinitionError(f"Step '{node.name}' {message}", hint or None, node.file or None, line or None)


def _error_with(
    spec: DecoratorSpec, node: Node, message: str, hint: str, at_next: bool = False
) -> HeadwayError:
    """The error of a step for which a decorator is to blame: a late one is told of where it was said."""
    if spec.attached:
        return error_at(spec, f"step '{node.name}' {message}", hint)
    return _error(node, message, hint, at_next)
