"""Makes a whole flow file of a snippet, with as little around it as a reader would write."""

import ast
import textwrap

from seeds.case import Case, substituted
from seeds.documents import Snippet

_HEADER = "from metaflow import FlowSpec, kubernetes, step\n"
_STEP = "@step\ndef only_step(self):\n    pass"
_END = "@step\ndef end(self):\n    pass"
_IMPORTS = "from zenml import pipeline, step\n\n"
_PIPELINE = "\n\n\n@pipeline\ndef seed_pipeline():\n"
_CALLED = "\n\nif __name__ == '__main__':\n    seed_pipeline()\n"
_MAIN = "if __name__ == '__main__':\n    {}()"


def flow_file(snippet: Snippet, case: Case) -> str:
    """The text of a flow file that holds the snippet as it is.

    Args:
        snippet: A whole flow, steps of one, or nothing but a decorator.
        case: What it needs besides.
    """
    text = substituted(case.repaired or snippet.text, case.completes)
    if calls := function_steps(text):
        return (
            _IMPORTS + text.strip("\n") + _PIPELINE + "".join(f"    {name}()\n" for name in calls) + _CALLED
        )
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
    if any(isinstance(node, ast.FunctionDef) and node.name == "seed_pipeline" for node in tree.body):
        return "seed_pipeline"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return next((node.name for node in classes if "FlowSpec" in map(ast.unparse, node.bases)), None)


def function_steps(text: str) -> list[str]:
    """The steps of a text that are functions: those that stand at its top level and take no self."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    marked = [node for node in functions if any("step" in ast.unparse(each) for each in node.decorator_list)]
    return [node.name for node in marked if not any(each.arg == "self" for each in node.args.args)]


def _as_class(text: str) -> tuple[str, str]:
    """Steps that stand alone: the imports before them, and a flow class around them."""
    head, _, _ = text.partition("@")
    steps = text[len(head) :]
    if "def " not in steps:
        steps += f"\n{_STEP}"
    if "self.next(self.end)" in steps and "def end(" not in steps:
        steps += f"\n\n{_END}"
    return _HEADER + head, "class SeedFlow(FlowSpec):\n" + textwrap.indent(steps, "    ")
