"""What came of the works: the lines of the table, and the file with the raw figures, which is all that a page needs."""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goals import Goal, goal_of
from works import Done

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        goal: What it is about, and what the median should be.
        figures: Round by round; empty where none was measured.
        work: Whose it is.
        failed: Rounds of that work that came to nothing.
        note: What a reader should know of how it was measured.
        why: Why there are no figures, or fewer.
        commit: The code that was measured.
    """

    goal: Goal
    figures: Sequence[float]
    work: str = ""
    failed: int = 0
    note: str = ""
    why: str = ""
    commit: str = ""

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.figures)

    @property
    def missed(self) -> bool:
        """Whether there is a target that was not reached, or not measured."""
        return self.goal.limit is not None and not (self.figures and self.goal.holds(self.median))

    @property
    def verdict(self) -> str:
        """Met, or missed and by how much; and whether all rounds agree: as quick as another is a tie."""
        limit = self.goal.limit
        if limit is None:
            return "-"
        if not self.figures:
            return "not measured"
        held = {self.goal.holds(figure) for figure in self.figures}
        split = ""
        if len(held) > 1:
            tie = limit == 1 and self.goal.unit == "×"
            split = ", a tie: rounds on both sides" if tie else ", not in every round"
        if not self.missed:
            return f"met{split}"
        off = abs(self.median - limit) / limit if limit else self.median
        return f"**missed** by {off:.0%}{split.replace('not', 'though not')}"


def lines(content: Mapping[str, Any]) -> list[Line]:
    """The lines of a file's content, in the order of its works."""
    found = []
    for name, work in content["works"].items():
        failures = work["failures"]
        why = failures[-1].splitlines()[0][:80] if failures else work.get("lacks", "")
        found += [
            Line(
                goal_of(target["row"], target["target"], target.get("unit", "")),
                target["figures"],
                name,
                len(failures),
                work.get("note", ""),
                why,
                content["commit"],
            )
            for target in work["targets"]
        ]
    return found


def cells(line: Line) -> tuple[str, str, str, str, str]:
    """What a table says of a line: row, target, median with range, rounds, verdict."""
    figure = f"not measured{f' ({line.why})' if line.why else ''}"
    if line.figures:
        spread = f" ({number(min(line.figures))} to {number(max(line.figures))})"
        figure = f"{number(line.median)}{spread if len(line.figures) > 1 else ''} {line.goal.unit}".strip()
    rounds = f"{len(line.figures)}{f', {line.failed} failed' if line.failed else ''}"
    return line.goal.row, line.goal.words, figure, rounds, line.verdict


def table(found: Sequence[Line]) -> str:
    """The table for a terminal."""
    rows = [("work", "target", "median (range)", "rounds", "verdict"), *map(cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return markdown([[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows, of which the first is the head, as a table."""
    head, *others = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *others])


def number(value: float) -> str:
    """Three digits, and all of them before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def result_file(name: str) -> Path:
    """Where this run's raw figures go."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}.json"


def content_of(origin: Mapping[str, object], dones: Sequence[Done]) -> dict[str, Any]:
    """What a file of raw figures holds.

    Args:
        origin: What was measured, where and against what, as it was when measuring began.
        dones: What there is so far.
    """
    return {
        **origin,
        "saved": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "works": {
            done.work.name: {
                "note": done.work.note,
                "lacks": done.work.lacks,
                "warm_up": done.work.warm_up,
                "rounds": done.rounds,
                "begins": done.begins,
                "failures": done.failures,
                "targets": [
                    {
                        "row": target.row,
                        "target": target.goal.words,
                        "unit": target.unit,
                        "figures": done.figures(target),
                    }
                    for target in done.work.targets
                ],
            }
            for done in dones
        },
    }


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of raw figures."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> dict[str, Any]:
    """Read one."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content
