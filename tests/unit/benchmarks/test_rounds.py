"""Works are done in turn, fairly, within the time there is, and what could not be measured is not passed over."""

from collections.abc import Callable

import client
import data
import local
import pods
import pytest
import rounds
import scale
import timeline
from goals import ASKED
from place import Place
from quiet import QUIET, busy, settle, times_of
from report import content_of, lines, table
from rounds import do
from timing import BenchmarkError
from works import Measures, Target, Work, measure, ratio


def contender(name: str, said: list[str], seconds: float = 1.0) -> Callable[[], Measures]:
    def work() -> Measures:
        said.append(name)
        return {"seconds": seconds}

    return work


def begin() -> dict[str, float]:
    return {"busy": 0.1, "load": 1.0, "waited": 0.0}


def work(said: list[str], name: str = "race", **changed: object) -> Work:
    contenders = {each: contender(each, said) for each in "abc"}
    target = Target("a by b", ratio("a", "b"), 2)
    return Work(
        **{"name": name, "contenders": contenders, "targets": (target,), "rounds": 3, "warm_up": 0, **changed}
    )  # type: ignore[arg-type]


def test_who_begins_changes_from_round_to_round() -> None:
    said: list[str] = []
    (done,) = do([work(said)], None, False, None, ready=begin)
    assert "".join(said) == "abcbcacab"
    assert [list(each) for each in done.begins] == [list("abc"), list("bca"), list("cab")]


def test_a_round_that_fails_is_told_beside_those_that_did_not() -> None:
    fails = iter([False, True, False])

    def sometimes() -> Measures:
        if next(fails):
            raise BenchmarkError("the second time\nmore words")
        return {"seconds": 1.0}

    chosen = work([], contenders={"a": contender("a", []), "b": sometimes})
    (done,) = do([chosen], None, False, None, ready=begin)
    (line,) = lines(content_of({"commit": "abc1234"}, [done]))
    assert len(line.figures) == 2
    assert "| 2, 1 failed |" in table([line])


def test_no_round_is_begun_that_would_end_after_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setitem(rounds.MINUTES, "long", 10)
    dones = do([work(said, "long"), work(said, "short")], None, False, 60.0, ready=begin)
    assert [len(done.rounds) for done in dones] == [0, 3]


def test_the_rounds_before_the_first_do_not_count() -> None:
    said: list[str] = []
    (done,) = do([work(said, warm_up=1)], 1, False, None, ready=begin)
    assert (len(said), len(done.rounds)) == (6, 1)


def test_what_could_not_be_measured_is_missed_with_its_reason() -> None:
    absent = work([]).absent("no cluster")
    (done,) = do([absent], None, False, None, ready=begin)
    (line,) = lines(content_of({"commit": "abc1234"}, [done]))
    assert line.missed
    assert "not measured (no cluster)" in table([line])


def test_a_figure_that_is_only_told_is_never_missed() -> None:
    told = work([], targets=(Target("told", measure("a", "seconds"), unit="s"),))
    (done,) = do([told.absent("no cluster")], None, False, None, ready=begin)
    assert not lines(content_of({"commit": "abc1234"}, [done]))[0].missed


def test_works_have_the_rows_that_were_asked_for_also_where_nothing_can_be_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HEADWAY_TEST_BUCKET", "HEADWAY_TEST_CLUSTER", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    place = Place()
    found = [each for maker in (local, pods, timeline, data, client, scale) for each in maker.works(place)]
    rows = {target.row: target.goal.words for each in found for target in each.targets}
    assert {goal.row: rows.get(goal.row) for goal in ASKED} == {goal.row: goal.words for goal in ASKED}
    assert all(each.rounds >= 5 for each in found)
    assert {each.name for each in found if each.lacks} >= {"pods linear", "data array", "scale in-flight"}
    place.folder.rmdir()


def test_a_contender_waits_until_the_cores_are_idle_but_not_for_ever() -> None:
    shares = iter([0.9, 0.5, QUIET, 0.9])
    assert settle(look=lambda: next(shares), clock=lambda: 0.0)["busy"] == QUIET
    now = iter(range(100))
    ready = settle(3.0, look=lambda: 0.9, clock=lambda: float(next(now)))
    assert ready["busy"] == 0.9
    assert ready["waited"] >= 3.0


def test_waiting_for_a_disk_is_idle() -> None:
    before = times_of("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1\n")
    after = times_of("cpu  120 0 60 850 70 0 0 0 0 0\ncpu0 1 1 1 1\n")
    assert busy(before, after) == pytest.approx(0.3)
