"""Times contenders in turn, A B C A B C …, so that a machine whose speed drifts is fair to all of them."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


class BenchmarkError(Exception):
    """A contender failed; its figures would mean nothing."""


@dataclass
class Series:
    """The seconds that one contender took, run by run."""

    name: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def interleave(
    contenders: Mapping[str, Callable[[], float]], runs: int, warm_up: int = 1
) -> dict[str, Series]:
    """Run every contender in turn.

    Args:
        contenders: By name; each does its work once and returns the seconds that count.
        runs: Counted rounds.
        warm_up: Rounds before, not counted.
    """
    series = {name: Series(name) for name in contenders}
    for number in range(-warm_up, runs):
        for name, work in contenders.items():
            seconds = work()
            if number >= 0:
                series[name].seconds.append(seconds)
                print(f"  {name}: {seconds:.2f} s", file=sys.stderr)
    return series


def process(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """Seconds of a whole process, from its start to its end.

    Raises:
        BenchmarkError: It failed; with the end of what it printed.
    """
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - begun
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    return seconds


def table(title: str, series: Mapping[str, Series], against: str) -> str:
    """The figures as lines: median, range, and the ratio to one contender's median, round by round."""
    base = series[against]
    lines = [title, f"  {'':24} {'median':>9} {'min':>9} {'max':>9}   ratio to {against}"]
    for name, one in series.items():
        ratios = [mine / other for mine, other in zip(one.seconds, base.seconds, strict=True)]
        lines.append(
            f"  {name:24} {one.median:8.2f}s {min(one.seconds):8.2f}s {max(one.seconds):8.2f}s   "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return "\n".join(lines)


def ratio(series: Mapping[str, Series], name: str, against: str) -> float:
    """The median over the rounds of one contender's time divided by another's."""
    pairs = zip(series[name].seconds, series[against].seconds, strict=True)
    return statistics.median(mine / other for mine, other in pairs)


def save(name: str, figures: Mapping[str, Mapping[str, Series]]) -> Path:
    """Keep the raw figures in a file, with what machine they are of."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    content = {
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cpus": os.cpu_count(),
        },
        "seconds": {
            work: {one.name: one.seconds for one in series.values()} for work, series in figures.items()
        },
    }
    path.write_text(json.dumps(content, indent=1))
    return path
