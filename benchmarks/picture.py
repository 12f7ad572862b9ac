"""One picture of all figures: how far each is from its target, on one scale."""

import math
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from report import Line, number

_GOOD, _BAD, _RANGE, _GRID, _INK = "#2a7f62", "#c2452d", "#55606b", "#e3e6e8", "#1c2126"
#: Pixels: words on the left, bars, words on the right; a line's height, what stands above and below the bars.
_LEFT, _BARS, _RIGHT, _LINE, _TOP, _BOTTOM = 440, 420, 300, 24, 44, 34
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(found: Sequence[Line], path: Path) -> Path:
    """Draw the lines that have a figure and a target.

    A bar goes from the target to the median on a logarithmic scale, to the right where it is better
    than asked for, to the left where it is worse; a thin line shows the range of the rounds.

    Args:
        found: The lines.
        path: The file, an SVG.
    """
    path.write_text(svg([line for line in found if line.figures and line.goal.limit]))
    return path


def svg(shown: Sequence[Line]) -> str:
    """The picture's text; the same lines make the same text."""
    factors = [factor for line in shown for factor in _range(line)]
    low = max([tick for tick in _TICKS if tick <= min([0.5, *factors])], default=_TICKS[0])
    high = min([tick for tick in _TICKS if tick >= max([2, *factors])], default=_TICKS[-1])

    def x(factor: float) -> float:
        return _LEFT + _BARS * math.log(factor / low) / math.log(high / low)

    height = _TOP + _LINE * len(shown) + _BOTTOM
    foot, width = height - _BOTTOM, _LEFT + _BARS + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(
            8, 22, "Headway against its targets: better is to the right, 1× is the target", _INK, "start", 14
        ),
    ]
    for tick in _TICKS:
        if low <= tick <= high:
            parts.append(_stroke(x(tick), _TOP, x(tick), foot, _INK if tick == 1 else _GRID, 1))
            parts.append(_text(x(tick), foot + 18, f"{tick:g}×", _INK, "middle"))
    for place, line in enumerate(shown):
        middle = _TOP + _LINE * place + _LINE / 2
        worst, best = _range(line)
        begin, end = sorted((x(1), x(_better(line, line.median))))
        colour = _GOOD if line.goal.holds(line.median) else _BAD
        parts += [
            _text(_LEFT - 10, middle + 4, line.goal.row, _INK, "end"),
            f'<rect x="{begin:.1f}" y="{middle - 7:.1f}" width="{end - begin:.1f}" height="14" fill="{colour}"/>',
            _stroke(x(worst), middle, x(best), middle, _RANGE, 1.5),
            _text(_LEFT + _BARS + 12, middle + 4, _figure(line), colour, "start"),
        ]
    return "\n".join([*parts, "</svg>", ""])


def _figure(line: Line) -> str:
    return f"{number(line.median)} {line.goal.unit}  (target {line.goal.words})"


def _range(line: Line) -> tuple[float, float]:
    factors = [_better(line, value) for value in line.figures]
    return min(factors), max(factors)


def _better(line: Line, value: float) -> float:
    """How many times better than the target, as far as the scale goes."""
    limit = line.goal.limit or 1.0
    factor = value / limit if line.goal.at_least else limit / value if value > 0 else _TICKS[-1]
    return min(max(factor, _TICKS[0]), _TICKS[-1])


def _text(x: float, y: float, words: str, colour: str, anchor: str, size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(words.replace('`', ''))}</text>"
    )


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )
