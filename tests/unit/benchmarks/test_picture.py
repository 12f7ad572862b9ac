"""The picture has a bar for every figure with a target: to the right where it is better than asked for."""

import xml.etree.ElementTree as ET
from pathlib import Path

from goals import Goal
from picture import draw, svg
from report import Line

_SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[tuple[float, float, str]]:
    """Where each bar begins, how wide it is, and its colour."""
    rects = ET.fromstring(text).findall(f"{_SVG}rect")[1:]
    return [(float(bar.attrib["x"]), float(bar.attrib["width"]), bar.attrib["fill"]) for bar in rects]


def test_better_goes_right_and_worse_goes_left() -> None:
    good = Line(Goal("small is good", 2.0), [1.0])
    bad = Line(Goal("large would be good", 10.0, at_least=True), [5.0])
    (right, width, green), (left, other, red) = bars(svg([good, bad]))
    assert width == other > 0
    assert abs(left + other - right) < 0.2
    assert green != red


def test_only_what_has_a_figure_and_a_target_is_drawn(tmp_path: Path) -> None:
    shown = Line(Goal("shown <&> so", 2.0), [1.0, 3.0])
    path = draw([shown, Line(Goal("not measured", 2.0), []), Line(Goal("told"), [1.0])], tmp_path / "all.svg")
    text = path.read_text()
    assert len(bars(text)) == 1
    assert "shown &lt;&amp;&gt; so" in text
    assert "not measured" not in text


def test_what_is_off_the_scale_stays_within_the_picture() -> None:
    lines = [Line(Goal("nothing", 2.0), [0.0]), Line(Goal("far too much", 2.0), [1e9])]
    for begin, width, _ in bars(svg(lines)):
        assert begin >= 440
        assert begin + width <= 860.1
