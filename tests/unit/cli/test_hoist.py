"""Options in any place."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.cli.hoist import hoist

TOP = {"--quiet": 0, "--not-quiet": 0, "--datastore": 1, "--with": 1, "--config": 2}
COMMANDS = {
    "run": {"--with": 1, "--tag": 1, "--alpha": 1, "--max-workers": 1, "--fast": 0},
    "show": {},
    "logs": {"--stdout": 0, "--attempt": 1},
    "package": {},
}


def hoisted(line: str) -> str:
    return shlex.join(hoist(shlex.split(line), TOP, COMMANDS))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ""),
        ("run", "run"),
        ("--quiet run", "--quiet run"),
        ("run --config a run --fast", "--config a run run --fast"),
        ("--config run run run --alpha 1", "--config run run run --alpha 1"),
        ("--alpha 1 --config=a b run", "--config=a b run --alpha 1"),
        ("run --config a", "--config a run"),
        ("run --quiet", "--quiet run"),
        ("run --datastore s3 --tag a", "--datastore s3 run --tag a"),
        ("run --datastore=s3 --tag=a", "--datastore=s3 run --tag=a"),
        ("--tag a --alpha 3 run", "run --tag a --alpha 3"),
        ("--tag=a run", "run --tag=a"),
        ("--fast run --quiet", "--quiet run --fast"),
        # --with stands in both places: where it was typed, it stays
        ("--with kubernetes run", "--with kubernetes run"),
        ("run --with kubernetes", "run --with kubernetes"),
        ("show --with kubernetes", "--with kubernetes show"),
        # values that look like commands or options
        ("--tag run run", "run --tag run"),
        ("run --tag run", "run --tag run"),
        ("run --tag show --quiet", "--quiet run --tag show"),
        ("--datastore run show", "--datastore run show"),
        ("run --alpha -3", "run --alpha -3"),
        ("--alpha -3 run", "run --alpha -3"),
        ("run --tag --quiet", "run --tag --quiet"),
        ("run --tag=--quiet", "run --tag=--quiet"),
        ("run --alpha 'a=b'", "run --alpha a=b"),
        ("run --with 'kubernetes:labels={\"a\": 1}'", "run --with 'kubernetes:labels={\"a\": 1}'"),
        # arguments of the command
        ("logs 17/train --quiet --attempt 0", "--quiet logs 17/train --attempt 0"),
        ("package list --datastore s3", "--datastore s3 package list"),
        # behind -- nothing is an option
        ("run -- --quiet", "run -- --quiet"),
        ("run --quiet -- --datastore s3", "--quiet run -- --datastore s3"),
        ("-- run", "-- run"),
        # what is not known is for the parser to refuse, with the command it was typed for
        ("run --no-such-option 5", "run --no-such-option 5"),
        ("--no-such-option run", "run --no-such-option"),
        ("--no-such-option 5 run", "--no-such-option 5 run"),
        ("walk --quiet", "walk --quiet"),
        ("--help", "--help"),
        ("run --help", "run --help"),
        # an option whose value is missing
        ("run --tag", "run --tag"),
        ("run --datastore", "--datastore run"),
    ],
)
def test_every_option_comes_to_its_place(typed: str, expected: str) -> None:
    assert hoisted(typed) == expected


WORDS = st.sampled_from([*TOP, *COMMANDS, *COMMANDS["run"], "--", "5", "-3", "a=b", "--tag=x", "--unknown"])


@given(st.lists(WORDS, max_size=10))
@settings(max_examples=100, deadline=None)
def test_nothing_is_lost_or_made_up(words: list[str]) -> None:
    assert sorted(hoist(words, TOP, COMMANDS)) == sorted(words)


PIECES = st.lists(
    st.sampled_from([("--quiet",), ("--datastore", "run"), ("--tag", "x"), ("--alpha", "show"), ("--fast",)]),
    max_size=5,
    unique=True,
)


@given(PIECES, PIECES)
@settings(max_examples=100, deadline=None)
def test_where_options_stand_makes_no_difference(
    before: list[tuple[str, ...]], behind: list[tuple[str, ...]]
) -> None:
    def flat(pieces: list[tuple[str, ...]]) -> list[str]:
        return [word for piece in pieces for word in piece]

    spread = hoist([*flat(before), "run", *flat(behind)], TOP, COMMANDS)
    together = hoist(["run", *flat(before), *flat(behind)], TOP, COMMANDS)
    assert spread == together


@given(PIECES, PIECES)
@settings(max_examples=50, deadline=None)
def test_what_is_in_order_stays(before: list[tuple[str, ...]], behind: list[tuple[str, ...]]) -> None:
    once = hoist([word for piece in (*before, ("run",), *behind) for word in piece], TOP, COMMANDS)
    assert hoist(once, TOP, COMMANDS) == once
