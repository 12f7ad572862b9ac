"""The documentation holds what it says: its code compiles, its links lead somewhere, its commands exist."""

import ast
import re
import runpy
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
#: Stands on the line above a code block that is not meant to compile, with the reason.
EXCUSE = re.compile(r"<!-- not compiled: (?P<reason>\S.+) -->")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")


class Block(NamedTuple):
    """One fenced block of code: its page and line, its language, its text, why it need not compile."""

    page: Path
    line: int
    language: str
    text: str
    excuse: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    lines, found, number = page.read_text(encoding="utf-8").splitlines(), [], 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening:
            end = next((i for i in range(number + 1, len(lines)) if lines[i].strip() == "```"), None)
            assert end is not None, f"{page}:{number + 1}: a code block that never ends"
            text = textwrap.dedent("\n".join(lines[number + 1 : end]))
            above = EXCUSE.search(lines[number - 1]) if number else None
            excuse = above["reason"] if above else ""
            found.append(Block(page, number + 1, opening["language"], text, excuse))
            number = end
        number += 1
    return found


BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=str)
def test_python_compiles_or_says_why_not(block: Block) -> None:
    trouble = syntax_error(block)
    assert not trouble or block.excuse, f"{trouble}: mend it, or write <!-- not compiled: REASON --> above it"
    assert trouble or not block.excuse, f"{block}: compiles, so the excuse above it is not needed"


def syntax_error(block: Block) -> str:
    try:
        compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_the_repository_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target = match["target"].partition("#")[0]
        if target and "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_dev_command_that_the_pages_name_exists(capsys: pytest.CaptureFixture[str]) -> None:
    parser: Any = runpy.run_path(str(ROOT / "dev.py"), run_name="dev")["parser"]()
    for page in PAGES:
        for command in re.findall(r"python3? dev\.py ([a-z][\w-]*)", page.read_text(encoding="utf-8")):
            arguments, _ = parser.parse_known_args([command])
            assert arguments.command == command
