"""The lines of an attempt: whole, stamped, within their limit, whatever the pieces they come in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.runtime.logbook import LONGEST_LINE, Logbook, StampedLine
from headway.store.logs import RUNTIME, TASK, parse_lines

NOW = 1_800_000_000.25


def make_book(limit: int = 10_000_000) -> Logbook:
    return Logbook(limit, clock=lambda: NOW)


def stored(book: Logbook, stream: str = "stdout") -> list[str]:
    return [line.text for line in parse_lines(book.content(stream), stream)]


def test_a_line_is_given_once_it_is_whole() -> None:
    book = make_book()
    assert book.feed("stdout", b"hel") == []
    assert book.feed("stdout", b"lo\nwor") == [StampedLine("stdout", NOW, b"hello")]
    assert book.feed("stdout", b"ld") == []
    assert book.finish() == [StampedLine("stdout", NOW, b"world")]
    assert book.finish() == []
    assert stored(book) == ["hello", "world"]
    assert book.lines == {"stdout": 2}


def test_the_streams_are_kept_apart() -> None:
    book = make_book()
    book.feed("stdout", b"o")
    book.feed("stderr", b"e")
    assert {line.stream: line.text for line in book.finish()} == {"stdout": b"o", "stderr": b"e"}
    assert stored(book, "stderr") == ["e"]


def test_what_it_gives_away_is_what_it_stores() -> None:
    book = make_book()
    given = book.feed("stdout", b"one\ntwo\n") + book.feed("stdout", b"three\n")
    assert b"".join(line.encode() for line in given) == book.content("stdout")


def test_a_word_of_ours_is_stored_and_not_given_away() -> None:
    book = make_book()
    book.feed("stdout", b"one\ntwo\n")
    book.note("ours", "stdout")
    book.feed("stdout", b"three\n")
    assert book.lines == {"stdout": 3}, "a reader who has these has all that is shown"
    assert [(line.source, line.text) for line in parse_lines(book.content("stdout"))] == [
        (TASK, "one"),
        (TASK, "two"),
        (RUNTIME, "ours"),
        (TASK, "three"),
    ]


def test_a_stream_that_printed_nothing_has_no_content() -> None:
    assert make_book().content("stdout") == b""


def test_empty_lines_count() -> None:
    book = make_book()
    book.feed("stdout", b"\n\n")
    assert stored(book) == ["", ""]
    assert book.lines == {"stdout": 2}


def test_a_line_longer_than_what_is_read_at_once_stays_one_line() -> None:
    book = make_book()
    text = b"x" * (5 * LONGEST_LINE)
    given = []
    for start in range(0, len(text), LONGEST_LINE):
        given += book.feed("stdout", text[start : start + LONGEST_LINE])
    assert given, "its beginning is seen before its end"
    given += book.feed("stdout", b"end\nnext\n")
    assert stored(book) == [text.decode() + "end", "next"]
    assert [line.continues for line in given][-1] is False
    assert book.lines == {"stdout": 2}


def test_the_line_end_alone_after_a_cut_line_is_no_line() -> None:
    book = make_book()
    book.feed("stdout", b"x" * (LONGEST_LINE + 1))
    assert book.feed("stdout", b"\nnext\n") == [StampedLine("stdout", NOW, b"next")]
    assert stored(book) == ["x" * (LONGEST_LINE + 1), "next"]


def test_a_word_of_ours_does_not_go_on_with_the_persons_line() -> None:
    book = make_book()
    book.feed("stdout", b"x" * (LONGEST_LINE + 1))
    book.note("ours", "stdout")
    book.feed("stdout", b"y\n")
    assert [len(text) for text in stored(book)] == [LONGEST_LINE + 1, 4, 1]


def test_what_is_over_the_limit_is_dropped_and_said_once() -> None:
    book = make_book(limit=1_000_000)
    given = []
    for number in range(3000):
        given += book.feed("stdout", b"%d " % number + b"x" * 990 + b"\n")
    assert given[-1].text == b"[The log is cut here: it reached the limit of 1 MB (--max-log-size).]"
    assert given[-1].source == RUNTIME
    assert sum(line.source == RUNTIME for line in given) == 1
    assert len(book.content("stdout")) < 1_001_000
    assert book.lines["stdout"] == len(given) == len(stored(book))


def test_one_stream_at_its_limit_leaves_the_other_alone() -> None:
    book = make_book(limit=100)
    book.feed("stdout", b"far more than a hundred bytes with its stamp" * 3 + b"\nmore\n")
    book.feed("stderr", b"still heard\n")
    assert len(stored(book)) == 1
    assert stored(book, "stderr") == ["still heard"]


def test_garbage_is_kept_as_it_is() -> None:
    book = make_book()
    (line,) = book.feed("stdout", b"\xff\x00\x1b[31m\r\n")
    assert line.text == b"\xff\x00\x1b[31m\r"
    assert stored(book) == ["\ufffd\x00\x1b[31m\r"]


#: A character cut in two by the end of a piece is beside the point here.
PIECES = st.text(st.characters(max_codepoint=127), max_size=40) | st.sampled_from(["\n", "z" * 33_000])


@given(st.lists(PIECES, max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_the_pieces_the_log_is_the_same(pieces: list[str]) -> None:
    book = make_book()
    for piece in pieces:
        book.feed("stdout", piece.encode())
    book.finish()
    text = "".join(pieces)
    lines = text.removesuffix("\n").split("\n") if text else []
    assert stored(book) == lines
    assert book.lines.get("stdout", 0) == len(lines)
