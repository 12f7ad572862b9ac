"""Every spelling of a value gives its one form; what is no such value is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.config import parsing
from headway.config.parsing import RefusedError

Parser = Callable[[Any], object]

WHOLE = parsing.integer(0, 10)

TAKEN: list[tuple[Parser, object, object]] = [
    (parsing.cpu_cores, 2, Decimal(2)),
    (parsing.cpu_cores, 0.5, Decimal("0.5")),
    (parsing.cpu_cores, "2", Decimal(2)),
    (parsing.cpu_cores, " 1.5 ", Decimal("1.5")),
    (parsing.cpu_cores, "500m", Decimal("0.5")),
    (parsing.cpu_cores, 1 / 3, Decimal("0.334")),
    (parsing.cpu_cores, Decimal("0.0001"), Decimal("0.001")),
    (parsing.megabytes, 4096, 4096),
    (parsing.megabytes, "4096.0", 4096),
    (parsing.megabytes, 0.5, 1),
    (parsing.megabytes, "16G", 16000),
    (parsing.megabytes, "16 GB", 16000),
    (parsing.megabytes, "500M", 500),
    (parsing.megabytes, "1Gi", 1074),
    (parsing.megabytes, "64KiB", 1),
    (parsing.mebibytes, 1024, 1024),
    (parsing.mebibytes, "8Gi", 8192),
    (parsing.mebibytes, "1G", 954),
    (WHOLE, 3, 3),
    (WHOLE, "3", 3),
    (WHOLE, 3.0, 3),
    (WHOLE, 0, 0),
    (parsing.boolean, True, True),
    (parsing.boolean, "TRUE", True),
    (parsing.boolean, "off", False),
    (parsing.boolean, 0, False),
    (parsing.choice("Guaranteed", "Burstable"), "guaranteed", "Guaranteed"),
    (parsing.text, " x ", "x"),
    (parsing.script, " echo 1\n", " echo 1\n"),
    (parsing.mapping, {"a": 1}, {"a": 1}),
    (parsing.mapping, '{"a": [1]}', {"a": [1]}),
    (parsing.mapping, "a=1, b=x=y,", {"a": "1", "b": "x=y"}),
    (parsing.mapping, "", {}),
    (
        parsing.string_map,
        {"a": 1, "b": True, "c": 1.5, "d": ""},
        {"a": "1", "b": "true", "c": "1.5", "d": ""},
    ),
    (parsing.names(lambda name: None), "a, b,,a", ("a", "b")),
    (parsing.names(lambda name: None), '["b", "a"]', ("b", "a")),
    (parsing.names(lambda name: None), ("a",), ("a",)),
    (parsing.names(lambda name: None), [], ()),
]

REFUSED: list[tuple[Parser, list[object]]] = [
    (
        parsing.cpu_cores,
        [0, -1, "0", "0m", True, "two", "", None, float("nan"), float("inf"), [1], "1mm", 10**9],
    ),
    (
        parsing.megabytes,
        [0, -4096, True, "4Q", "many", "", None, "-1G", "G", "16B", float("nan"), {}, 10**15],
    ),
    (WHOLE, [-1, 11, 1.5, True, False, "x", "", None, "1.5", float("inf"), [], "1e400"]),
    (parsing.boolean, [2, "maybe", "", None, 0.5, []]),
    (parsing.choice("a", "b"), ["c", "", 1, None]),
    (parsing.text, ["", "  ", 1, None]),
    (parsing.script, ["", "  ", 1]),
    (parsing.mapping, ["a", "=1", '{"a": 1', "[1]", 1, None, ["a"], {1: 2}]),
    (parsing.string_map, [{"a": None}, {"a": [1]}, {"a": {}}]),
    (parsing.names(lambda name: None), [1, None, {"a": 1}, [1], '["a"', [["a"]]]),
]


@pytest.mark.parametrize(("parse", "written", "value"), TAKEN)
def test_taken(parse: Parser, written: object, value: object) -> None:
    found = parse(written)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("parse", "written"), [(parse, written) for parse, several in REFUSED for written in several]
)
def test_refused_with_words(parse: Parser, written: object) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(written)
    assert caught.value.allowed


#: Few characters: those that mean something to one of the parsers.
LETTERS = st.text('0123456789.+-eEmMGiB_ ={}[],"ax', max_size=12)
WRITTEN = st.one_of(
    LETTERS, st.floats(), st.integers(), st.none(), st.dictionaries(LETTERS, LETTERS, max_size=2)
)
PARSERS = [
    parsing.cpu_cores,
    parsing.megabytes,
    WHOLE,
    parsing.boolean,
    parsing.text,
    parsing.mapping,
    parsing.string_map,
]


@settings(max_examples=300, deadline=None)
@given(parse=st.sampled_from(PARSERS), written=WRITTEN)
def test_whatever_is_written_is_taken_or_refused(parse: Parser, written: object) -> None:
    try:
        parse(written)
    except RefusedError:
        return


def test_bad_json_is_refused_with_its_place_and_how_to_quote_it() -> None:
    with pytest.raises(RefusedError, match="line 1, column 9") as caught:
        parsing.mapping('{"a": 1 b}')
    assert caught.value.hint is not None
    assert "single quotes" in caught.value.hint


def test_a_bare_key_is_taken_only_where_said() -> None:
    assert parsing.string_map("a,b=1", bare_keys=True) == {"a": "", "b": "1"}
