"""Resource quantities."""

import pytest

from headway.localcluster.objects.quantity import canonical, parse, thousandths, units


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("500m", "500m"),
        ("0.5", "500m"),
        ("1", "1"),
        ("1000m", "1"),
        ("1.5", "1500m"),
        ("1024Mi", "1Gi"),
        ("1000Mi", "1000Mi"),
        ("0.5Gi", "512Mi"),
        ("1500M", "1500M"),
        ("128974848", "128974848"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("100000", "100k"),
        (2, "2"),
    ],
)
def test_written_back_as_the_api_does(text: object, written: str) -> None:
    assert canonical(text) == written


@pytest.mark.parametrize("text", ["", "1x", "abc", "1 Gi", "--1", "Gi"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        parse(text)


def test_rounding_is_upwards() -> None:
    assert thousandths("1.0001") == 1001
    assert units("1500m") == 2
    assert units("1Ki") == 1024
