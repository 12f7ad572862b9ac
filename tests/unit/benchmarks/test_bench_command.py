"""The command of every benchmark: what its exit code says of figures that are missed, or that nobody could take."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import command
import pytest
from place import Place
from works import Target, Work, measure

Bench = Callable[..., int]


def race(limit: float) -> Work:
    return Work(
        "race",
        {"headway": lambda: {"seconds": 1.0}},
        (Target("the race", measure("headway", "seconds"), limit, unit="s"),),
        rounds=1,
        warm_up=0,
    )


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    monkeypatch.setattr(command, "origin", lambda _: {"commit": "abc1234", "diff": ""})
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    monkeypatch.setattr("rounds.settle", lambda *_: {"busy": 0.0, "load": 0.0, "waited": 0.0})
    for name in ("HEADWAY_TEST_BUCKET", "HEADWAY_TEST_CLUSTER", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)

    def run(works: Sequence[Work], *words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["bench", "--out", str(tmp_path / "raw.json"), *words])

        def maker(_: Place) -> Sequence[Work]:
            return works

        return command.main("race", "A race.", [maker])

    return run


def test_a_target_that_is_met_is_well(bench: Bench, tmp_path: Path) -> None:
    assert bench([race(2)]) == 0
    assert (tmp_path / "raw.svg").read_text().startswith("<svg")


def test_a_target_that_is_missed_is_told(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench([race(0.5)]) == 1
    assert "MISSED  the race: missed by 100%" in capsys.readouterr().err


def test_what_could_not_be_measured_is_missed_but_in_the_quick_mode(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    works = [race(2).absent("no cluster")]
    assert bench(works) == 1
    said = capsys.readouterr().err
    assert "LACKS  race: no cluster" in said
    assert "MISSED  the race: not measured" in said
    assert bench(works, "--quick") == 0
