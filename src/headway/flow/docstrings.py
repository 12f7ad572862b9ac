"""Docstrings without the indentation that they have in code."""

from headway.plain import Optional


def cleaned(doc: Optional[str]) -> str:
    """A docstring as :func:`inspect.cleandoc` has it, "" where there is none; ``inspect`` takes 30 ms to load."""
    lines = (doc or "").expandtabs().split("\n")
    rest = [line for line in lines[1:] if line.strip(" ")]
    margin = min((len(line) - len(line.lstrip(" ")) for line in rest), default=0)
    lines = [lines[0].lstrip(" "), *(line[margin:] for line in lines[1:])]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return "\n".join(lines)
