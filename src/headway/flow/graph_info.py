"""A flow's graph as plain data under the names that Metaflow's ``current.graph_info`` has; for steps that ask."""

import os
from typing import Any, Dict, FrozenSet, List

from headway.flow.decorators import DecoratorSpec, plain
from headway.flow.graph import FOREACH, PARALLEL, SPLIT, SWITCH, Graph, Node
from headway.flow.members import configs_of, constants_of, parameters_of
from headway.flow.step import members_of

_TYPES = {
    SPLIT: "split-static",
    FOREACH: "split-foreach",
    PARALLEL: "split-parallel",
    SWITCH: "split-switch",
}


def graph_info(graph: Graph, flow_class: Any) -> Dict[str, Any]:
    """What tools read about a flow.

    Args:
        graph: The flow's graph, as its run has it.
        flow_class: The flow, for the names and types of its parameters and constants.

    Returns:
        ``file``, ``doc``, ``start_step``, ``end_step``, ``parameters``, ``constants``, ``decorators``,
        ``steps`` (by name: ``type``, ``next``, ``line``, ``doc``, ``decorators``, …), ``extensions`` and
        ``graph_structure``: the steps as nested lists, one list for the branches of each split.
    """
    declared: Dict[str, Any] = dict(parameters_of(flow_class))
    declared.update((name, members_of(flow_class)[name]) for name in configs_of(flow_class))
    return describe_graph(
        graph,
        parameters={name: type(value).__name__ for name, value in declared.items()},
        constants={name: type(value).__name__ for name, value in constants_of(flow_class).items()},
    )


def describe_graph(graph: Graph, parameters: Dict[str, str], constants: Dict[str, str]) -> Dict[str, Any]:
    """The same, of a flow that is not at hand.

    Args:
        graph: The flow's graph.
        parameters: The types of its parameters and configurations by name: ``Parameter``, ``Config``, ``IncludeFile``.
        constants: The types of its constants by name.
    """
    return {
        "file": os.path.basename(graph[graph.start].file),
        "doc": graph.doc,
        "start_step": graph.start,
        "end_step": graph.end,
        "parameters": [{"name": name, "type": parameters[name]} for name in sorted(parameters)],
        "constants": [{"name": name, "type": kind} for name, kind in constants.items()],
        "decorators": [_decorator(spec) for spec in graph.decorators],
        "steps": {node.name: _step(node) for node in graph},
        "graph_structure": list(graph.nodes)
        if graph.is_pipeline
        else _structure(graph, graph.start, frozenset()),
        "extensions": {"installed": {}},
    }


def _step(node: Node) -> Dict[str, Any]:
    info: Dict[str, Any] = {
        "name": node.name,
        "type": _TYPES.get(node.kind, node.kind),
        "line": node.line,
        "source_file": node.file,
        "doc": node.doc,
        "decorators": [_decorator(spec) for spec in node.decorators],
        "next": list(node.targets),
        "node_info": dict(node.info),
    }
    more = {
        "foreach_artifact": node.foreach,
        "num_parallel": node.num_parallel,
        "matching_join": node.matching_join,
        "condition": node.condition,
        "switch_cases": dict(node.cases) or None,
    }
    info.update((name, value) for name, value in more.items() if value is not None)
    return info


def _decorator(spec: DecoratorSpec) -> Dict[str, Any]:
    # Of one that a person wrote, Metaflow tells here what has no name; its own name holds a dot always.
    unnamed = {"_args": [plain(value) for value in spec.positional]} if "." in spec.name else {}
    return {
        "name": spec.name,
        "attributes": {**unnamed, **spec.shown},
        "statically_defined": not spec.attached,
        "inserted_by": None,
    }


def _structure(graph: Graph, name: str, until: FrozenSet[str]) -> List[Any]:
    """The steps from this one on, up to those that close what is around them."""
    found: List[Any] = []
    seen = set(until)
    while name not in seen:
        seen.add(name)
        node = graph[name]
        found.append(name)
        if not node.targets:
            return found
        if node.kind == SWITCH:
            # Its ways may meet anywhere; only the end is certain to come once.
            around = until | {name, graph.end}
            found.append([_structure(graph, each, around) for each in node.targets if each != graph.end])
            if until:
                return found
            name = graph.end
        elif node.kind == PARALLEL and node.matching_join is not None:
            found += _structure(graph, node.targets[0], until | {node.matching_join})
            name = node.matching_join
        elif node.matching_join is not None:
            around = until | {node.matching_join}
            found.append([_structure(graph, each, around) for each in node.targets])
            name = node.matching_join
        else:
            name = node.targets[0]
    return found
