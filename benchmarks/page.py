"""Writes the tables of docs/performance.md, and its picture, from files of raw figures.

    python3 dev.py bench page FILE … [--history]

The files are those of one run of `bench all`, or of several of the same sources: one that was cut and gone on.
They are kept in benchmarks/figures. With --history they may be of several commits: each row then names its own,
and of figures of several commits for one row those of the last one are shown.
"""

import argparse
import re
import shlex
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from goals import ASKED
from picture import draw
from quiet import QUIET
from report import Line, cells, lines, markdown, number, read

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.svg"
FIGURES = Path(__file__).parent / "figures"

#: The work whose rows are a table of their own, in which the phases of one round add up.
_TIMELINE, _SUM = "timeline", "all that is ours"
_BEGIN = re.compile(r"^<!-- figures: python3 dev\.py bench page (?P<words>.*) -->$", re.MULTILINE)

_SEVERAL = "These figures are of several commits, named in their rows; each row's are of one."

Contents = Mapping[str, Mapping[str, Any]]


class PageError(Exception):
    """The files do not belong together, or the page has no place for them."""


def rewritten(text: str, files: Contents, history: bool = False) -> str:
    """The page with everything between its markers written anew.

    Args:
        text: The page as it is.
        files: What the files of raw figures hold, by name.
        history: Whether they may be of several sources.

    Raises:
        PageError: Files of several sources are to be one, or a marker is missing.
    """
    command = " ".join([*(["--history"] if history else []), *files])
    found = gathered(files, history)
    text = _between(
        text, "figures", f": python3 dev.py bench page {command}", _figures(files, found, history)
    )
    return _between(text, "timeline", "", _timeline(found, history))


def gathered(files: Contents, history: bool) -> list[Line]:
    """The lines of all files, one for each row; what was asked for comes first, measured or not.

    Raises:
        PageError: They are of several sources.
    """
    if not history and len({_sources(content) for content in files.values()}) > 1:
        codes = sorted({_code(content) for content in files.values()})
        raise PageError(f"one table is of one state of the sources, these files are of {', '.join(codes)}")
    by_row: dict[str, Line] = {goal.row: Line(goal, ()) for goal in ASKED}
    measured: dict[str, tuple[str, str]] = {}
    for content in files.values():
        for line in lines(content):
            known = by_row.get(line.goal.row)
            others = measured.get(line.goal.row) not in (None, _sources(content))
            if known is None or (others and line.figures):
                by_row[line.goal.row] = line
            elif not others:
                by_row[line.goal.row] = _joined(known, line)
            if line.figures:
                measured[line.goal.row] = _sources(content)
    return list(by_row.values())


def _joined(earlier: Line, later: Line) -> Line:
    """One line of a run that was cut and gone on."""
    figures = [*earlier.figures, *later.figures]
    return replace(later, figures=figures, failed=earlier.failed + later.failed, why=later.why or earlier.why)


def named(text: str) -> tuple[list[str], bool]:
    """The files that a page says it is written from, and whether they may be of several commits."""
    found = _BEGIN.search(text)
    if found is None:
        raise PageError("the page does not say what its figures are written from")
    words = shlex.split(found["words"])
    return [word for word in words if word != "--history"], "--history" in words


def _sources(content: Mapping[str, Any]) -> tuple[str, str]:
    """What was measured: commits that add figures or words to the same sources have the same."""
    return content.get("sources", content["commit"]), content.get("diff", "")


def _code(content: Mapping[str, Any]) -> str:
    diff = content.get("diff", "")
    return f"{content['commit']}{f' with the changes {diff}' if diff else ''}"


def _between(text: str, name: str, how: str, block: str) -> str:
    """The text with the block put between the markers of that name."""
    marks = re.compile(rf"<!-- {name}(?:: [^\n]*)? -->\n.*?<!-- end of {name} -->", re.DOTALL)
    new, count = marks.subn(lambda _: f"<!-- {name}{how} -->\n{block}\n<!-- end of {name} -->", text)
    if count != 1:
        raise PageError(f"the page has no place, or several, for {name}")
    return new


def _figures(files: Contents, found: Sequence[Line], history: bool) -> str:
    shown = [line for line in found if line.work != _TIMELINE or line.goal.row.startswith(_SUM)]
    rows = [["work", "target", "median (range)", "rounds", "verdict", "remark"]]
    rows += [[*cells(line), line.note] for line in shown]
    if history:
        commits = ["commit", *(f"`{line.commit}`" if line.commit else "" for line in shown)]
        rows = [[*row, commit] for row, commit in zip(rows, commits, strict=True)]
    notes = [_note(name, content) for name, content in files.items()]
    if history:
        notes.insert(0, f"{_SEVERAL}\n")
    picture = "![How far each figure is from its target](performance.svg)"
    return "\n\n".join(["\n".join(notes), markdown(rows), picture])


def _note(name: str, content: Mapping[str, Any]) -> str:
    """Commit, time, machine, what was measured against and how quiet the machine was, of one file."""
    machine, against = content["machine"], content.get("against", {})
    cores = f"{machine['cpus']} cores{f' of {processor}' if (processor := machine.get('processor')) else ''}"
    # Files that do not say when they were saved have that time in the other's place.
    when = f"{'begun' if 'saved' in content else 'ended'} {_minute(content['when'])}"
    said = [
        f"- [{name}](../benchmarks/figures/{name}): commit `{_code(content)}`, {when}",
        f"{cores}, {machine['system']}, Python {machine['python']}",
        *(f"{what} {version}" for what, version in against.items() if version),
    ]
    return f"{', '.join(said)}. {_quiet(content)}"


def _minute(when: str) -> str:
    return f"{when[:10]} {when[11:16]} {when[19:]}"


def _quiet(content: Mapping[str, Any]) -> str:
    """How much the machine had to do besides, as contenders or (in older files) rounds began."""
    works = content["works"].values()
    begins = [begin for work in works for each in work.get("begins", ()) for begin in each.values()]
    if begins:
        shares = [begin["busy"] for begin in begins]
        late = sum(share > QUIET for share in shares)
        return (
            f"As contenders began, {statistics.median(shares):.0%} of the cores were busy in the median and "
            f"{max(shares):.0%} at most; {late} of {len(shares)} began although more than {QUIET:.0%} were."
        )
    loads = [load for work in works for load in work.get("load", ())]
    return (
        f"The load average as rounds began was {number(min(loads))} to {number(max(loads))}." if loads else ""
    )


def _timeline(found: Sequence[Line], history: bool) -> str:
    """One round's phases, which add up: that round whose sum of what is ours is the median."""
    phases = [line for line in found if line.work == _TIMELINE]
    total = next((line for line in phases if line.goal.row == _SUM), None)
    if total is None or not total.figures:
        return "Not measured."
    at = list(total.figures).index(statistics.median_low(total.figures))
    rows = [["phase", "whose", "ms"]]
    for line in sorted(phases, key=lambda line: line.goal.row.startswith("all ")):
        whose, colon, name = line.goal.row.partition(": ")
        rows.append(
            [name, whose, f"{line.figures[at]:.0f}"] if colon else [whose, "", f"**{line.figures[at]:.0f}**"]
        )
    of = f" (commit `{total.commit}`)" if history else ""
    said = f"Round {at + 1} of {len(total.figures)}{of}: the one in which what is ours takes the median of all rounds."
    return f"{said}\n\n{markdown(rows)}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench page", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--history", action="store_true", help="files may be of several commits")
    options = parser.parse_args()
    for file in options.files:
        if file.resolve().parent != FIGURES:
            shutil.copy(file, FIGURES / file.name)
    files = {file.name: read(file) for file in options.files}
    try:
        PAGE.write_text(rewritten(PAGE.read_text(), files, options.history))
    except PageError as error:
        print(f"page: {error}", file=sys.stderr)
        return 2
    draw(gathered(files, options.history), PICTURE)
    print(f"written: {PAGE}, {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
