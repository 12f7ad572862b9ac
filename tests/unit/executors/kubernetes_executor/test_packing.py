"""How many warm pods, and how much for each: the arithmetic."""

import pytest

from headway.executors.kubernetes.packing import (
    AHEAD,
    Terms,
    chunk,
    most_at_a_time,
    pace,
    tasks_per_pod,
    wanted_pods,
    wants_more,
)


@pytest.mark.parametrize(
    ("tasks", "pack", "pods", "share"),
    [(1000, 1, None, 1), (1000, 50, None, 50), (1000, 1, 20, 50), (1000, 100, 20, 100), (5, 1, 20, 1)],
)
def test_a_pods_share_of_a_foreach(tasks: int, pack: int, pods: int | None, share: float) -> None:
    assert tasks_per_pod(tasks, Terms(pack, pods)) == share


def test_pods_are_wanted_for_what_has_not_ended() -> None:
    packed = {"work": Terms(pack=50)}
    assert wanted_pods({"work": 1000}, packed) == 20
    assert wanted_pods({"work": 951}, packed) == 20
    assert wanted_pods({"work": 950}, packed) == 19
    assert wanted_pods({"work": 3}, packed) == 1
    assert wanted_pods({"work": 20}, {"work": Terms(pack=3)}) == 7
    assert wanted_pods({"left": 1, "right": 1}, {"left": Terms(), "right": Terms()}) == 2
    assert wanted_pods({}, {}) == 0


@pytest.mark.parametrize(("tasks", "pods"), [(1, 1), (19, 19), (20, 20), (21, 20), (1000, 20)])
def test_a_limit_of_pods_counts_tasks_and_not_the_batches_in_which_they_come(tasks: int, pods: int) -> None:
    assert wanted_pods({"work": tasks}, {"work": Terms(pods=20, foreach="start")}) == pods


def test_the_steps_of_a_foreach_share_its_pods() -> None:
    first, second = Terms(pods=20, foreach="start"), Terms(pods=20, foreach="start")
    assert wanted_pods({"a": 500, "b": 500}, {"a": first, "b": second}) == 20
    assert wanted_pods({"a": 3, "b": 4}, {"a": first, "b": second}) == 7
    assert wanted_pods({"a": 500, "b": 500}, {"a": first, "b": Terms(pods=30, foreach="start")}) == 30
    assert wanted_pods({"a": 500, "b": 50}, {"a": first, "b": Terms(foreach="start")}) == 70, "b has no limit"
    assert wanted_pods({"a": 500, "b": 500}, {"a": first, "b": Terms(pods=20, foreach="other")}) == 40


def test_a_pod_gets_half_of_its_part_and_never_nothing() -> None:
    assert chunk(1000, 20, 50) == 25
    assert chunk(1000, 20, 10) == 10
    assert chunk(3, 20, 50) == 1


def test_nothing_is_put_behind_what_may_take_long() -> None:
    shares = {"slow": 1.0, "quick": 50.0}
    assert wants_more({}, {}, shares)
    assert not wants_more({"slow": 1}, {}, shares), "nobody knows how long it takes"
    assert wants_more({"quick": 24}, {}, shares)
    assert not wants_more({"quick": 26}, {}, shares)
    assert not wants_more({"slow": 1}, {"slow": 60.0}, shares)
    assert wants_more({"quick": 50}, {"quick": 0.02}, shares)
    assert not wants_more({"quick": 1, "slow": 1}, {"quick": 0.02}, shares)


def test_what_a_pod_has_in_hand_is_about_two_seconds_of_work() -> None:
    assert most_at_a_time(None, 50.0) == 50
    assert most_at_a_time(0.02, 50.0) == int(AHEAD / 0.02)
    assert most_at_a_time(600.0, 50.0) == 1


def test_recent_tasks_count_most() -> None:
    assert pace(None, 3.0) == 3.0
    assert pace(1.0, 2.0) == pytest.approx(1.2)
