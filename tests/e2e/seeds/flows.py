"""Makes a whole flow file of a snippet, with as little around it as a reader would write."""

import ast
import textwrap

from seeds.case import Case, substituted
from seeds.documents import Snippet

_HEADER = "from metaflow import FlowSpec, kubernetes, step\n"
_STEP = "@step\ndef only_step(self):\n    pass"
_END = "@step\ndef end(self):\n    pass"
_MAIN = "if __name__ == '__main__':\n    {}()"


def flow_file(snippet: Snippet, case: Case) -> str:
    """The text of a flow file that holds the snippet as it is.

    Args:
        snippet: A whole flow, steps of one, or nothing but a decorator.
        case: What it needs besides.
    """
    text = substituted(case.repaired or snippet.text, case.completes)
    if flow_name(text) is not None:
        imports, body = "", text
    else:
        imports, body = _as_class(text)
    name = flow_name(body)
    called = f"{name}()" in body
    pieces = [imports, case.helpers, body, "" if called else _MAIN.format(name)]
    return "\n\n".join(piece.strip("\n") for piece in pieces if piece.strip()) + "\n"


def flow_name(text: str) -> str | None:
    """The name of the flow class that a text defines, None where it defines none."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return next((node.name for node in classes if "FlowSpec" in map(ast.unparse, node.bases)), None)


def _as_class(text: str) -> tuple[str, str]:
    """Steps that stand alone: the imports before them, and a flow class around them."""
    head, _, _ = text.partition("@")
    steps = text[len(head) :]
    if "def " not in steps:
        steps += f"\n{_STEP}"
    if "self.next(self.end)" in steps and "def end(" not in steps:
        steps += f"\n\n{_END}"
    return _HEADER + head, "class SeedFlow(FlowSpec):\n" + textwrap.indent(steps, "    ")
