"""From a shape and features to the source of a flow."""

from collections.abc import Sequence
from textwrap import dedent, indent

from matrix.feature import Feature
from matrix.graph import Node, Shape

_HEAD = """\
import os, sys
from headway import FlowSpec, current, parallel, step
"""

#: The variable that names the task at which a run is to break.
BREAK = "MATRIX_BREAK"


def flow_name(shape: Shape, label: str) -> str:
    """The class of a shape's flow with the features of a label."""
    return "".join(part.capitalize() for part in f"{shape.name}_{label}".split("_")) + "Flow"


def render(shape: Shape, features: Sequence[Feature], label: str) -> str:
    """The file of a flow: a shape that carries some features.

    Args:
        shape: Its graph.
        features: In the order of their code within a step.
        label: Goes into the flow's name.
    """
    name = flow_name(shape, label)
    bases = [base for each in features if (base := each.base())] or ["FlowSpec"]
    parts = [_HEAD, *(dedent(each.module()) for each in features if each.module())]
    parts += [*(f"{line}\n" for each in features for line in each.over_flow())]
    parts.append(f"class {name}({', '.join(bases)}):\n")
    parts += [indent(_marked(each, each.flow(shape)), "    ") for each in features if each.flow(shape)]
    parts += [indent(_step(node, shape, features), "    ") for node in shape.nodes]
    return "\n".join(parts) + f'\n\nif __name__ == "__main__":\n    {name}()\n'


def _marked(feature: Feature, code: str) -> str:
    return f"# {feature.name}\n{dedent(code).strip()}\n"


def _step(node: Node, shape: Shape, features: Sequence[Feature]) -> str:
    # What two features ask for in the same words is written once.
    lines = list(dict.fromkeys(line for each in features for line in each.over(node, shape)))
    opener = shape.opened_by(node.name)
    if opener and opener.kind == "parallel":
        lines.append("@parallel")
    lines.append(f"@step({node.marks})" if node.marks else "@step")
    is_join = node.kind == "join"
    lines.append(f"def {node.name}(self{', inputs' if is_join else ''}):")
    code = [_own(node, shape)]
    for each in features:
        if written := (each.join(node, shape) if is_join else each.code(node, shape)):
            code.append(_marked(each, written))
    code.append(_next(node))
    return "\n".join(lines) + "\n" + indent("\n".join(code), "    ") + "\n"


def _own(node: Node, shape: Shape) -> str:
    """Where the task stands, without which no check finds it; and the place where a run can be broken."""
    lines = []
    if node is shape.first:
        lines += ["self.where, self.round = [], 0"]
    elif node.kind == "join":
        fan_out = shape.by_name[node.closes]
        branches = {
            "iteration": "[each for each in inputs]",
            "name": f"[{', '.join(f'inputs.{end}' for end in _ends(node, shape))}]",
            "position": f"[inputs[index] for index in range({'len(inputs)'})]",
        }[node.reads]
        inner = "[:-1]" if fan_out.kind != "split" else ""
        lines += [f"branches = {branches}", f"self.where = branches[0].where{inner}"]
        lines += ["self.round = branches[0].round"]
    elif opener := shape.opened_by(node.name):
        place = "self.index" if opener.kind == "foreach" else "current.parallel.node_index"
        lines += [f"self.where = [*self.where, {place}]"]
    if node.counts:
        lines += ["self.round += 1"]
    if node.name == shape.breaks.step:
        key = shape.breaks
        lines += [
            f'if os.environ.get("{BREAK}") and (self.where, self.round) == ({list(key.where)}, {key.round}):'
        ]
        lines += ['    raise RuntimeError("broken on purpose")']
    return "\n".join(lines)


def _ends(join: Node, shape: Shape) -> list[str]:
    """The steps that lead to a join, in the order in which its fan-out names their branches."""
    ends = []
    for name in shape.by_name[join.closes].to:
        node = shape.by_name[name]
        while node.to[0] != join.name:
            node = shape.by_name[node.to[0]]
        ends.append(node.name)
    return ends


def _next(node: Node) -> str:
    if node.kind == "end":
        return "pass"
    targets = ", ".join(f"self.{name}" for name in node.to)
    if node.kind == "foreach":
        return f"self.spread_{node.name} = {node.over}\nself.next({targets}, foreach='spread_{node.name}')"
    if node.kind == "parallel":
        return f"self.next({targets}, num_parallel={node.width})"
    if node.kind == "switch":
        cases = ", ".join(f"{name!r}: self.{name}" for name in node.to)
        return f"self.choice = {node.choice}\nself.next({{{cases}}}, condition='choice')"
    return f"self.next({targets})"
