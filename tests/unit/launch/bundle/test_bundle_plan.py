"""Sizes, the question about a large bundle, and the rows that people see."""

import pytest

from headway.errors import SettingsError
from headway.launch.bundle.describe import left_out_rows, shipped_rows, summary, warnings
from headway.launch.bundle.plan import BundleFile, LeftOut, Plan, oversize, parse_size, readable

PLAN = Plan(
    files=(
        BundleFile("flow.py", 1_200),
        BundleFile("model.bin", 60_000_000),
        BundleFile("x.py", 3, package="x"),
    ),
    left_out=(
        LeftOut("data/", ".gitignore: data/"),
        LeftOut("/lib/fast.so", "compiled for this machine", True),
    ),
    other_suffixes={"": 1, ".csv": 1_400},
    packages=("x",),
    paths=(".headway/imports",),
)


def test_a_large_bundle_is_asked_about() -> None:
    large = oversize(PLAN, 50_000_000)
    assert large is not None
    assert large.question() == (
        "The code package holds 60 MB, most of it in model.bin (60 MB), flow.py (1.2 kB), x.py (3 B). "
        "Ship it with every pod of this run?"
    )
    assert oversize(PLAN, 61_000_000) is None


def test_where_nobody_can_be_asked_the_error_names_the_files_and_both_ways_out() -> None:
    large = oversize(PLAN, 50_000_000, "METAFLOW_CODE_PACKAGE_MAX_SIZE")
    assert large is not None
    text = str(large.error())
    for part in ("50 MB", "60 MB", "model.bin (60 MB)", "METAFLOW_CODE_PACKAGE_MAX_SIZE", ".headwayignore"):
        assert part in text
    assert "--package-max-size 70MB" in text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (1_240, "1.2 kB"), (99_400, "99 kB"), (99_960, "100 kB"),
        (999_600, "1 MB"), (52_000_000, "52 MB"), (999_400_000, "999 MB"), (1_500_000_000, "1.5 GB"),
    ],
)  # fmt: skip
def test_sizes_read_as_people_write_them(size: int, text: str) -> None:
    assert readable(size) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [("80", 80_000_000), ("80MB", 80_000_000), (" 1.5 gb ", 1_500_000_000), ("200k", 200_000), ("0", 0)],
)
def test_limits_are_taken_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "ten", "nan", "inf", "1TB"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="80MB"):
        parse_size(text)


def test_rows_say_what_ships_and_what_does_not() -> None:
    assert shipped_rows(PLAN)[1] == ("model.bin", "60 MB", "generated", "")
    assert shipped_rows(PLAN)[2].package == "x"
    assert left_out_rows(PLAN) == [
        ("data/", ".gitignore: data/"),
        ("/lib/fast.so", "compiled for this machine (imported)"),
        ("files without a suffix", "1 file; --package-suffixes * ships them"),
        ("*.csv", "1,400 files; --package-suffixes .csv ships them"),
    ]
    assert summary(PLAN) == "3 files, 60 MB, with x from outside the flow's folder"
    assert warnings(PLAN) == [
        "/lib/fast.so is imported by the flow but does not ship (compiled for this machine)."
    ]
