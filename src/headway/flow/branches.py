"""Which join closes which split: every fan-out is closed once, by one join, whole.

Going from the start towards the end, each step stands in a stack of open branches. A split, a
foreach and ``num_parallel`` push one for each of their targets; a step that takes inputs pops it;
everything else keeps the stack. A graph is balanced where all ways to a step agree.
"""

from headway.errors import FlowDefinitionError
from headway.flow.graph import FAN_OUTS, SWITCH, Node, topological_order
from headway.plain import Dict, List, Mapping, NamedTuple, Tuple

#: (split, the target of it that this branch begins with), outermost first.
Stack = Tuple[Tuple[str, str], ...]


class Branches(NamedTuple):
    """Split by join, and join by split."""

    split_of: Dict[str, str]
    join_of: Dict[str, str]


def match_branches(steps: Mapping[str, Node], start: str, end: str) -> Branches:
    """Match splits and joins.

    Args:
        steps: The steps; every one can be reached, and none but a switch leads to itself.
        start: The first.
        end: The last.

    Raises:
        FlowDefinitionError: Some split is not joined, or some join joins what is not one split.
    """
    open_at: Dict[str, Stack] = {start: ()}
    found = Branches({}, {})
    for name in topological_order(steps, start):
        node = steps[name]
        arriving = _arrivals(steps, open_at, name)
        if node.takes_inputs:
            split = _joined_split(steps, node, arriving)
            found.split_of[name] = split.name
            found.join_of[split.name] = name
            open_at[name] = open_at[split.name]
        elif arriving:
            open_at[name] = _same_branch(node, arriving)
    if open_at[end]:
        split = steps[open_at[end][-1][0]]
        raise _error(
            split,
            f"Split '{split.name}' is never joined: its branches reach the end, '{end}', one by one.",
            f"Lead them to a step that takes inputs, def join(self, inputs), before '{end}'.",
        )
    return found


def _arrivals(steps: Mapping[str, Node], open_at: Mapping[str, Stack], name: str) -> Dict[str, Stack]:
    """The branches that are open on each way into a step, by the step it comes from."""
    arriving: Dict[str, Stack] = {}
    for before in steps.values():
        if name in before.targets and before.name != name:
            stack = open_at[before.name]
            arriving[before.name] = (*stack, (before.name, name)) if before.kind in FAN_OUTS else stack
    return arriving


def _same_branch(node: Node, arriving: Mapping[str, Stack]) -> Stack:
    stacks = list(arriving.values())
    if any(stack != stacks[0] for stack in stacks):
        ways = " and ".join(f"'{name}'" for name in arriving)
        raise _error(
            node,
            f"Step '{node.name}' is reached from {ways}, which are different branches of a split.",
            f"Join them: def {node.name}(self, inputs).",
        )
    return stacks[0]


def _joined_split(steps: Mapping[str, Node], node: Node, arriving: Mapping[str, Stack]) -> Node:
    if not arriving or not all(arriving.values()):
        raise _no_split(steps, node, arriving)
    innermost = {before: stack[-1] for before, stack in arriving.items()}
    splits = list(dict.fromkeys(split for split, _ in innermost.values()))
    if len(splits) > 1:
        parts = "; ".join(
            f"{_quoted([b for b, (s, _) in innermost.items() if s == split])} of '{split}'"
            for split in splits
        )
        raise _error(
            node,
            f"Step '{node.name}' joins branches of different splits: {parts}.",
            "Join each split by a step of its own, the inner one first.",
        )
    split = steps[splits[0]]
    if split.name in arriving:
        raise _error(
            node,
            f"Step '{split.name}' splits straight into '{node.name}', which joins: a branch has no step.",
            f"Put a step between '{split.name}' and '{node.name}', or take the argument inputs away.",
        )
    _check_whole(steps, node, split, innermost)
    return split


def _check_whole(
    steps: Mapping[str, Node], node: Node, split: Node, innermost: Mapping[str, Tuple[str, str]]
) -> None:
    """Every branch of the split comes to the join, each by one step or by ways of which a switch takes one."""
    by_branch: Dict[str, List[str]] = {}
    for before, (_, branch) in innermost.items():
        by_branch.setdefault(branch, []).append(before)
    for branch, ways in by_branch.items():
        switches = [before for before in ways if steps[before].kind == SWITCH]
        if switches:
            raise _error(
                node,
                f"Step '{node.name}' joins {_quoted(ways)}, of which only one runs: "
                f"they are conditional ways of one branch ('{branch}'), and '{switches[0]}' decides which.",
                f"Introduce an intermediate, unconditional step between '{switches[0]}' and '{node.name}'.",
            )
    lacking = [target for target in split.targets if target not in by_branch]
    if lacking:
        raise _error(
            node,
            f"Step '{node.name}' joins {_quoted(list(innermost))}, "
            f"but split '{split.name}' has more branches: {_quoted(lacking)}.",
            f"Lead every branch of '{split.name}' to '{node.name}'.",
        )


def _no_split(steps: Mapping[str, Node], node: Node, arriving: Mapping[str, Stack]) -> FlowDefinitionError:
    gang = next((before for before in arriving if steps[before].is_parallel), None)
    if gang is not None:
        return _error(
            node,
            f"Step '{node.name}' takes inputs, but '{gang}', reached by a plain self.next, is one task.",
            f"Write self.next(self.{gang}, num_parallel=N) to join the nodes, or def {node.name}(self).",
        )
    return _error(
        node,
        f"Step '{node.name}' takes inputs, but no split is open there: there is nothing to join.",
        f"Write def {node.name}(self), or split before it.",
    )


def _quoted(names: List[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _error(node: Node, message: str, hint: str) -> FlowDefinitionError:
    return FlowDefinitionError(message, hint, node.file or None, node.line or None)
