"""Lines written by a thread of their own: in order, never waited for, none lost unsaid."""

import threading

from headway.ui.background import BackgroundWriter


class Page:
    """A stream that can be made to stand still."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool, str]] = []
        self.goes_on = threading.Event()
        self.first = threading.Event()

    def __call__(self, line: str, *, error: bool = False, style: str = "") -> None:
        self.first.set()
        self.goes_on.wait(10)
        self.lines.append((line, error, style))


def test_lines_come_in_order_with_their_stream_and_style() -> None:
    page = Page()
    page.goes_on.set()
    with BackgroundWriter(page) as write:
        write("one")
        write("two", error=True, style="bad")
        write("three", style="good")
    assert page.lines == [("one", False, ""), ("two", True, "bad"), ("three", False, "good")]


def test_a_page_that_stands_still_holds_nobody_up_and_what_is_left_out_is_counted() -> None:
    page = Page()
    with BackgroundWriter(page, limit=3) as write:
        write("first")
        assert page.first.wait(10)
        for number in range(10):
            write(f"line {number}")
        write("trouble", error=True)
        assert page.lines == [], "all of it was taken while nothing was read"
        page.goes_on.set()
    assert [line for line, _, _ in page.lines] == [
        "first",
        "line 0",
        "line 1",
        "line 2",
        "trouble",
        "7 lines were left out here, as nobody read them; `logs` shows them all.",
    ]


def test_after_a_pause_lines_are_shown_again() -> None:
    page = Page()
    with BackgroundWriter(page, limit=1) as write:
        write("first")
        assert page.first.wait(10)
        write("second")
        write("left out")
        page.goes_on.set()
        told = threading.Event()
        for _ in range(1000):
            if any("left out here" in line for line, _, _ in page.lines):
                break
            told.wait(0.01)
        write("last")
    assert [line for line, _, _ in page.lines][-1] == "last"
    assert page.lines[2] == (
        "1 lines were left out here, as nobody read them; `logs` shows them all.",
        True,
        "",
    )
