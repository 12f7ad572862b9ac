"""From nodes to a valid graph: where it starts, where it ends, what its joins close; or why it is none.

Flows and function pipelines both end here; where the nodes came from is of no interest.
"""

from headway.errors import FlowDefinitionError
from headway.flow.branches import Branches, match_branches
from headway.flow.check import check_ends, check_gangs, check_names, check_reach
from headway.flow.graph import END, Graph, Node
from headway.plain import Dict, Iterable, List


def assemble(name: str, nodes: Iterable[Node], doc: str = "") -> Graph:
    """The graph of these nodes.

    Args:
        name: The flow's name.
        nodes: The steps, without what the graph's shape decides (matching splits and joins).
        doc: The flow's docstring.

    Raises:
        FlowDefinitionError: They make no valid graph.
    """
    steps: Dict[str, Node] = {node.name: node for node in nodes}
    if not steps:
        raise FlowDefinitionError(
            f"Flow '{name}' has no steps.", "Mark at least one of its methods with @step."
        )
    check_names(steps)
    start = _find_start(name, steps)
    end = _find_end(name, steps)
    check_ends(steps, start, end)
    check_reach(steps, start)
    branches = match_branches(steps, start, end)
    check_gangs(steps)
    return Graph(name, [_matched(node, branches) for node in steps.values()], start, end, doc)


def _matched(node: Node, branches: Branches) -> Node:
    return node._replace(
        matching_split=branches.split_of.get(node.name), matching_join=branches.join_of.get(node.name)
    )


def _find_start(flow: str, steps: Dict[str, Node]) -> str:
    annotated = [node for node in steps.values() if node.start]
    entered = {target for node in steps.values() for target in node.targets if target != node.name}
    candidates = [node for node in steps.values() if node.name not in entered]
    return _choose(flow, steps, annotated, "start", candidates, "nothing leads to them")


def _find_end(flow: str, steps: Dict[str, Node]) -> str:
    annotated = [node for node in steps.values() if node.end]
    candidates = [node for node in steps.values() if node.kind == END]
    return _choose(flow, steps, annotated, "end", candidates, "they have no self.next")


def _choose(
    flow: str, steps: Dict[str, Node], annotated: List[Node], role: str, candidates: List[Node], why: str
) -> str:
    """The annotated step, else the one that is named so, else the only one that can be it."""
    if len(annotated) > 1:
        raise _error(
            annotated[1], f"{_list(annotated)} are all marked @step({role}=True).", "Mark one of them."
        )
    if annotated:
        chosen = annotated[0].name
        if chosen != role and role in steps:
            raise _error(
                annotated[0],
                f"Step '{chosen}' is marked @step({role}=True), but there is a step called '{role}'.",
                f"Take the mark away, or call the other step something else than '{role}'.",
            )
        return chosen
    if role in steps:
        return role
    if len(candidates) == 1:
        return candidates[0].name
    if candidates:
        raise _error(
            candidates[1],
            f"{_list(candidates)} can each be the {role} of flow '{flow}': {why}.",
            f"Exactly one step {role}s a flow: name it '{role}', mark it @step({role}=True), "
            "or connect the others.",
        )
    missing = "every step is led to by another" if role == "start" else "every step has a self.next"
    raise _error(
        next(iter(steps.values())),
        f"Flow '{flow}' has no {role}: {missing}.",
        "Let nothing lead to its first step." if role == "start" else "Leave self.next out of its last step.",
    )


def _list(nodes: List[Node]) -> str:
    names = [f"'{node.name}'" for node in nodes]
    return f"Steps {', '.join(names[:-1])} and {names[-1]}"


def _error(node: Node, message: str, hint: str) -> FlowDefinitionError:
    return FlowDefinitionError(message, hint, node.file or None, node.line or None)
