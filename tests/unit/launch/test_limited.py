"""Commands whose time is over are interrupted, so that they clear away what they made, and killed only in the end."""

import pytest

from headway.launch.limited import Ended, run_limited

ENV = {"PATH": "/usr/bin:/bin"}


def shell(script: str, seconds: float, to_clear: float = 5.0) -> Ended:
    return run_limited(["/bin/sh", "-c", script], seconds, ENV, to_clear)


def test_one_that_is_done_in_time() -> None:
    assert shell("echo out; echo err >&2; exit 3", 10) == Ended(3, "out\n", "err\n")


@pytest.mark.budget(6)
def test_one_that_takes_too_long_clears_away() -> None:
    script = "trap 'echo cleared; echo late >&2; exit 130' TERM; echo waits >&2; while :; do sleep 0.05; done"
    assert shell(script, 0.5) == Ended(None, "cleared\n", "waits\n")


@pytest.mark.budget(6)
def test_one_that_does_not_listen_is_killed() -> None:
    assert shell("trap '' TERM; echo begun; exec sleep 60", 0.5, 0.2) == Ended(
        None, "begun\n", "", killed=True
    )
