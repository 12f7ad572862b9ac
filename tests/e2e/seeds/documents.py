"""Takes the code out of the seed documents: plain text in which code and prose stand one after the other.

No fence tells where code begins. It is told by how its lines begin, which the prose of these documents
never does; a block goes on over indented and empty lines until a line of prose.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[4] / "shared" / "seeds"

PYTHON, SHELL, PROSE, OTHER = "python", "shell", "prose", "other"

#: As much of a title as the table repeats.
_TITLE = 50

_PYTHON = re.compile(
    r"(?:from|import) [\w.]+|@\w|class \w+[(:]|def \w+\(|if __name__ ==|for \w+ in |\w+ = |[)\]}]|\w+\(\)$"
)
_SHELL = re.compile(r"(?:\$ )?(?:export|python|kubectl|pip|docker|zenml) \S")
#: Lines that are neither a snippet of their own nor what a snippet is about.
_OTHER = re.compile(r"#|(?:FROM|RUN|COPY) ")


@dataclass(frozen=True)
class Snippet:
    """A piece of code.

    Attributes:
        document: The number of its document.
        title: The last line of prose before it.
        kind: python or shell.
        text: The code, without the indentation of its first line.
    """

    document: str
    title: str
    kind: str
    text: str

    @property
    def key(self) -> str:
        """What the table calls it: a shell command by its text, Python by what it is there to show."""
        return f"{self.document}: {self.title[:_TITLE] if self.kind == PYTHON else self.text}"


def seed_documents(folder: Path = SEEDS) -> dict[str, str]:
    """The documents by their numbers; empty where the folder is not there."""
    return {path.name.partition("_")[0]: path.read_text() for path in sorted(folder.glob("*.txt"))}


def all_snippets(folder: Path = SEEDS) -> list[Snippet]:
    """Every piece of code of every document, in order."""
    return [
        snippet for number, text in seed_documents(folder).items() for snippet in snippets_of(number, text)
    ]


def snippets_of(document: str, text: str) -> list[Snippet]:
    """The pieces of code of one document, in order.

    Args:
        document: Its number.
        text: The whole of it.
    """
    lines = text.splitlines()
    found: list[Snippet] = []
    title = ""
    for kind, start, end in _pieces(lines):
        if kind == PROSE:
            title = lines[start].strip().rstrip(":") or title
        elif kind != OTHER:
            found.append(Snippet(document, title, kind, _dedented(lines[start:end])))
    return found


def prose_of(text: str) -> list[str]:
    """The lines of a document that belong to no piece of code."""
    lines = text.splitlines()
    return [lines[start] for kind, start, _ in _pieces(lines) if kind == PROSE and lines[start].strip()]


def _pieces(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """What each line or run of lines is: (kind, its first line, the line behind it)."""
    position = 0
    while position < len(lines):
        line = lines[position]
        if _SHELL.match(line.strip()):
            kind, end = SHELL, _command_end(lines, position)
        elif _PYTHON.match(line):
            kind, end = PYTHON, _block_end(lines, position)
        else:
            kind, end = OTHER if _OTHER.match(line) else PROSE, position + 1
        yield kind, position, end
        position = end


def _command_end(lines: list[str], position: int) -> int:
    """The line behind a shell command, which goes on where a quote is open or its line ends with a backslash."""
    end = position + 1
    while end < len(lines) and not _is_whole("\n".join(lines[position:end])):
        end += 1
    return end


def _is_whole(command: str) -> bool:
    if command.rstrip(" ").endswith("\\"):
        return False
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def _block_end(lines: list[str], position: int) -> int:
    end = last = position + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] == " " or _PYTHON.match(lines[end])):
        end += 1
        if lines[end - 1].strip():
            last = end
    return last


def _dedented(lines: list[str]) -> str:
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] if not line[:indent].strip() else line for line in lines).rstrip()
