"""What came of the works: the table with its targets, and the file with the raw figures."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from works import Done, Target

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        target: What it is about.
        figures: Round by round; empty where none was measured.
        why: Why not.
    """

    target: Target
    figures: Sequence[float]
    why: str = ""

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.figures)

    @property
    def verdict(self) -> str:
        """Met, or missed and by how much."""
        limit = self.target.limit
        if not self.figures:
            return f"not measured{f': {self.why}' if self.why else ''}"
        if limit is None:
            return "-"
        if self.target.holds(self.median):
            return "met"
        off = abs(self.median - limit) / limit if limit else self.median
        return f"MISSED by {off:.0%}"


def lines(dones: Sequence[Done]) -> list[Line]:
    """The table's lines, in the order of the works."""
    found = []
    for done in dones:
        why = done.failures[-1].splitlines()[0][:80] if done.failures else ""
        found += [Line(target, done.figures(target), why) for target in done.work.targets]
    return found


def markdown(table: Sequence[Line]) -> str:
    """The table as it stands in the documentation."""
    rows = [("work", "target", "median", "range", "rounds", "verdict")]
    for line in table:
        target = line.target
        if line.figures:
            figure = f"{_number(line.median)} {target.unit}"
            spread = f"{_number(min(line.figures))} to {_number(max(line.figures))}"
        else:
            figure = spread = "-"
        rows.append((target.row, target.words, figure, spread, str(len(line.figures)), line.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def result_file(name: str) -> Path:
    """Where this run's raw figures go."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}.json"


def save(path: Path, dones: Sequence[Done]) -> None:
    """Write the raw figures, with what machine and which commit they are of."""
    content = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": _commit(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cpus": os.cpu_count(),
        },
        "works": {
            done.work.name: {
                "rounds": done.rounds,
                "load": done.loads,
                "failures": done.failures,
                "targets": [
                    {
                        "row": line.target.row,
                        "target": line.target.words,
                        "figures": list(line.figures),
                        "verdict": line.verdict,
                    }
                    for line in lines([done])
                ],
            }
            for done in dones
        },
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=RESULTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()
