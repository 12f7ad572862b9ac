"""Time in words."""

import pytest

from headway.runtime.limits import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (0.5, "0.5 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute, 1 second"),
        (3600, "1 hour"),
        (7262, "2 hours, 1 minute, 2 seconds"),
        (120.0, "2 minutes"),
    ],
)
def test_a_duration_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words
