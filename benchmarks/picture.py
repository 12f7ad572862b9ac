"""One picture of all figures: how far each is from its target, on one scale."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report import Line

_GOOD, _BAD = "#2a7f62", "#c2452d"
_RANGE = "#55606b"


def draw(table: "Sequence[Line]", path: Path) -> Path:
    """Draw the lines that have a figure and a target.

    A bar goes from the target to the median on a logarithmic scale, to the right where it is better
    than asked for, to the left where it is worse; a thin line shows the range of the rounds.

    Args:
        table: The lines.
        path: The file; its suffix names the format.
    """
    # matplotlib: half a second that the quick mode does not need.
    from matplotlib.figure import Figure

    shown = [line for line in table if line.figures and line.target.limit]
    figure = Figure(figsize=(11, 1.4 + 0.36 * max(1, len(shown))), layout="constrained")
    axes = figure.subplots()
    for place, line in enumerate(reversed(shown)):
        factors = sorted(_better(line, value) for value in line.figures)
        factor = _better(line, line.median)
        colour = _GOOD if line.target.holds(line.median) else _BAD
        axes.barh(place, factor - 1, left=1, color=colour, height=0.62, zorder=2)
        axes.plot([factors[0], factors[-1]], [place, place], color=_RANGE, linewidth=1.2, zorder=3)
        axes.text(
            1.01,
            place,
            f"{line.median:.3g} {line.target.unit}  (target {line.target.words})",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8.5,
            color=colour,
        )
    axes.set_xscale("log")
    axes.margins(y=0.01)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.5), max(high, 2.0))
    ticks = [
        tick
        for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
        if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]
    ]
    axes.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(shown)), [line.target.row for line in reversed(shown)], fontsize=8.5)
    axes.axvline(1, color="black", linewidth=1, zorder=4)
    axes.grid(axis="x", color="#e3e6e8", zorder=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(
        "Headway against its targets: better is to the right, 1× is the target", fontsize=10.5, loc="left"
    )
    figure.savefig(path)
    return path


def _better(line: "Line", value: float) -> float:
    """How many times better than the target."""
    limit = line.target.limit or 1.0
    factor = value / limit if line.target.at_least else limit / value if value else 100.0
    return min(max(factor, 0.01), 100.0)
